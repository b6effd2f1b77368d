package wire_test

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// exchange is what a client sends, and what has to come of it.
type exchange struct {
	rfc   string // section of RFC 6455
	name  string
	in    []byte   // closed with 1000 when closed is zero
	saw   []string // what the handler is called for; its messages come back, and so do the payloads of its pings
	close ws.Status
	// reason is what the close frame has to carry beside the status; "" when that does not matter
	reason string
}

func text(s string) []byte { return wsxtest.AppendFrame(nil, true, wire.OpText, []byte(s)) }

func blob(n int) []byte { return wsxtest.AppendFrame(nil, true, wire.OpBinary, pattern(n)) }

func first(s string) []byte { return wsxtest.AppendFrame(nil, false, wire.OpText, []byte(s)) }

func more(s string) []byte { return wsxtest.AppendFrame(nil, false, wire.OpContinuation, []byte(s)) }

func last(s string) []byte { return wsxtest.AppendFrame(nil, true, wire.OpContinuation, []byte(s)) }

func ping(s string) []byte { return wsxtest.AppendFrame(nil, true, wire.OpPing, []byte(s)) }

func pong(s string) []byte { return wsxtest.AppendFrame(nil, true, wire.OpPong, []byte(s)) }

func bye(status ws.Status, reason string) []byte {
	p := append(binary.BigEndian.AppendUint16(nil, uint16(status)), reason...)
	return wsxtest.AppendFrame(nil, true, wire.OpClose, p)
}

func join(frames ...[]byte) []byte { return slices.Concat(frames...) }

// pattern returns n bytes that differ from place to place.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i * 7 >> 3)
	}
	return p
}

// header returns the header of a masked frame of n bytes in the length's form of 0, 2 or 8 more bytes, minimal or not.
func header(head byte, form int, n uint64) []byte {
	b := []byte{head, 0x80}
	switch form {
	case 2:
		b[1] |= 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	case 8:
		b[1] |= 127
		b = binary.BigEndian.AppendUint64(b, n)
	default:
		b[1] |= byte(n)
	}
	return append(b, 1, 2, 3, 4)
}

func TestConformance(t *testing.T) {
	all := slices.Concat(lengthCases(), headerCases(), fragmentCases, pingCases, closeCases(), textCases())
	runs := []struct {
		name  string
		make  func(testing.TB, wire.Config, *recorder) *rig
		piece int
	}{
		{"pipe whole", piped, 1 << 20},
		{"pipe by bytes", piped, 1},
		{"detached whole", dialed, 1 << 20},
		{"detached by bytes", dialed, 1},
		{"in place whole", inPlace, 1 << 20},
		{"in place by bytes", inPlace, 1},
	}
	for _, run := range runs {
		t.Run(run.name, func(t *testing.T) {
			t.Parallel()
			for _, x := range all {
				t.Run(x.rfc+" "+x.name, func(t *testing.T) { x.run(t, run.make, run.piece) })
			}
		})
	}
}

// run sends x in pieces and compares everything that comes of it.
func (x exchange) run(t *testing.T, connect func(testing.TB, wire.Config, *recorder) *rig, piece int) {
	in, status := x.in, x.close
	if status == 0 {
		in, status = join(in, bye(1000, "")), 1000
	}
	r := connect(t, limits(), echo())
	var sending sync.WaitGroup
	sending.Go(func() {
		for p := range slices.Chunk(in, piece) {
			if r.client.Raw(p) != nil {
				return // the server has hung up
			}
		}
	})
	got := hear(t, r.client)
	_ = r.client.Conn().Close()
	sending.Wait()
	r.ended(t)

	wantAll(t, "handled", r.handler.all(), x.saw)
	wantAll(t, "echoes", got.messages, only(x.saw, "text", "binary"))
	wantAll(t, "pongs", got.pongs, only(x.saw, "ping"))
	if got.close == nil {
		t.Fatalf("no close frame came, want one with %v", status)
	}
	want(t, "status of the close frame", got.close.Status, status)
	want(t, "cause", ws.StatusOf(r.Cause()), status)
	if x.reason != "" {
		want(t, "reason of the close frame", got.close.Reason, x.reason)
	}
	want(t, "state", r.State(), wire.StateClosed)
	want(t, "calls of Closing", r.handler.closings.Load(), 1)
	messages, bytes := r.Buffered()
	want(t, "buffered", messages+bytes, 0)
}

// heard is what came from the server up to the end of the connection.
type heard struct {
	messages, pongs []string
	close           *ws.CloseError
}

// hear reads without ever answering, until the server hangs up, which it has to do in order.
func hear(t testing.TB, c *wsxtest.Client) (h heard) {
	t.Helper()
	for {
		f, err := c.ReadFrame()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Errorf("the server's bytes end with %v, want io.EOF", err)
			}
			return h
		}
		if h.close != nil {
			t.Errorf("a frame came behind the close frame: %+v", f)
		}
		if !f.Fin || f.RSV != 0 {
			t.Errorf("a frame came in fragments, or with reserved bits: %+v", f)
		}
		h.add(t, f)
	}
}

func (h *heard) add(t testing.TB, f wsxtest.Frame) {
	t.Helper()
	switch f.Op {
	case wire.OpText, wire.OpBinary:
		h.messages = append(h.messages, describe(ws.MessageType(f.Op).String(), f.Payload))
	case wire.OpPong:
		h.pongs = append(h.pongs, describe("ping", f.Payload))
	case wire.OpClose:
		h.close = &ws.CloseError{Status: ws.StatusNoStatusRcvd}
		if len(f.Payload) >= 2 {
			h.close = &ws.CloseError{Status: ws.Status(binary.BigEndian.Uint16(f.Payload)), Reason: string(f.Payload[2:])}
		}
	default:
		t.Errorf("an unexpected frame came: %+v", f)
	}
}

// only returns those of seen that begin with one of the kinds.
func only(seen []string, kinds ...string) (some []string) {
	for _, s := range seen {
		if slices.Contains(kinds, s[:strings.IndexByte(s, ' ')]) {
			some = append(some, s)
		}
	}
	return some
}

// TestPieces has a long stream come in pieces around the sizes of the read buffers, so that frames part everywhere and
// the buffer grows and shrinks.
func TestPieces(t *testing.T) {
	var in []byte
	var saw []string
	for i := range 400 {
		n := i * i % 9001
		in = append(in, join(blob(n), ping("between"), text("and"))...)
		saw = append(saw, describe("binary", pattern(n)), `ping "between"`, `text "and"`)
	}
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			r := piped(t, limits(), &recorder{})
			go func() {
				for rest := in; len(rest) > 0; {
					n := min(len(rest), []int{1, 3, 40, 500, 4095, 4096, 4097, 32768, 40000}[random.IntN(9)])
					if r.client.Raw(rest[:n]) != nil {
						return
					}
					rest = rest[n:]
				}
				_ = r.client.Raw(bye(ws.StatusNormalClosure, ""))
			}()
			want(t, "close frame", hear(t, r.client).close.Status, ws.StatusNormalClosure)
			wantAll(t, "handled", r.handler.all(), saw)
		})
	}
}

// TestPartedHeaderAfterABurst: a header is half there when the reader goes back to its small buffer.
func TestPartedHeaderAfterABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		whole := ping("parted")
		for _, piece := range [][]byte{blob(10_000), join(text("x"), whole[:4]), whole[4:9], whole[9:]} {
			must(t, r.client.Raw(piece))
		}
		_, err := r.client.ReadFrame()
		must(t, err)
		synctest.Wait()
		wantAll(t, "handled", r.handler.all(), []string{describe("binary", pattern(10_000)), `text "x"`, `ping "parted"`})
	})
}
