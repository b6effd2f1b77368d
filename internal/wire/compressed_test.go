package wire_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fiberwsx/wsx/internal/deflate"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// rsv1 is set in the opcode of a compressed message.
const rsv1 = 0x40

var (
	alone    = deflate.Params{ServerBits: 15, ClientBits: 15}
	takeover = deflate.Params{ServerTakeover: true, ClientTakeover: true, ServerBits: 15, ClientBits: 15}
	narrow   = deflate.Params{ServerBits: 9, ClientBits: 15}
)

// compressing returns limits under which messages of 64 bytes and more are compressed.
func compressing() wire.Config {
	cfg := limits()
	cfg.Compression = wire.Compression{Level: 1, Threshold: 64, Bits: 15}
	return cfg
}

// peer is a client that has agreed to permessage-deflate, with the server's side of its connection.
type peer struct {
	*rig
	sending   *deflate.Session // the client's messages, as their server
	receiving *deflate.Session // the server's messages, as their client
}

// agreed returns a connection of the engine that has agreed to p.
func agreed(t testing.TB, e *wire.Engine, p deflate.Params, h *recorder) *peer {
	t.Helper()
	client, server := tcpPair(t)
	return agreedOn(t, client, server, e, p, h)
}

func agreedOn(t testing.TB, client *wsxtest.Client, server net.Conn, e *wire.Engine, p deflate.Params, h *recorder) *peer {
	t.Helper()
	r := &rig{client: client, handler: h, over: make(chan struct{})}
	r.Conn = wire.New(server, e, h)
	r.Compress(p)
	h.conn, h.over = r.Conn, r.over
	if r.Detached() {
		r.Go()
	} else {
		go r.Run()
	}
	t.Cleanup(func() {
		r.Abort()
		<-r.over
	})
	return &peer{
		rig:       r,
		sending:   deflate.NewSession(deflate.Params{ServerTakeover: p.ClientTakeover, ServerBits: p.ClientBits, ClientBits: 15}),
		receiving: deflate.NewSession(deflate.Params{ClientTakeover: p.ServerTakeover, ClientBits: p.ServerBits, ServerBits: 15}),
	}
}

var fastest = deflate.NewCompressor(1)

// packed returns a message's payload as the client compresses it.
func (p *peer) packed(payload string) []byte {
	b := p.sending.Deflate(fastest, nil, []byte(payload))
	p.sending.Sent([]byte(payload))
	return b
}

// read returns the next message, and whether it came compressed.
func (p *peer) read(t testing.TB) (payload string, compressed bool) {
	t.Helper()
	f, err := p.client.ReadFrame()
	must(t, err)
	return p.unpack(t, f)
}

func (p *peer) unpack(t testing.TB, f wsxtest.Frame) (payload string, compressed bool) {
	t.Helper()
	if f.Op != wire.OpText && f.Op != wire.OpBinary || !f.Fin {
		t.Fatalf("got %+v, want a message in one frame", f)
	}
	if f.RSV == 0 {
		return string(f.Payload), false
	}
	want(t, "reserved bits", f.RSV, rsv1)
	var o unpacked
	if err := p.receiving.Inflate(&o, append(f.Payload, deflate.Tail...)); err != nil {
		t.Fatalf("inflating %x: %v", f.Payload, err)
	}
	return o.String(), true
}

type unpacked struct{ bytes.Buffer }

func compressible(i int) string {
	return strings.Repeat(fmt.Sprintf(`{"type":"reading","number":%d}`, i), 10)
}

// TestCompressedBothWays: in every mode, whatever is too short or does not become smaller goes as it is.
func TestCompressedBothWays(t *testing.T) {
	noise := make([]byte, 500)
	for i, r := 0, rand.New(rand.NewPCG(1, 2)); i < len(noise); i++ {
		noise[i] = byte(r.Int())
	}
	for name, params := range map[string]deflate.Params{"alone": alone, "takeover": takeover, "narrow": narrow} {
		t.Run(name, func(t *testing.T) {
			p := agreed(t, wire.NewEngine(compressing()), params, echo())
			for i, row := range []struct {
				payload    string
				compressed bool
			}{
				{compressible(1), true}, {"short", false}, {compressible(1), true}, {string(noise), false}, {"", false},
				{strings.Repeat("long", 10_000), true}, {compressible(2), true},
			} {
				must(t, p.client.Frame(true, wire.OpBinary|rsv1, p.packed(row.payload)))
				got, compressed := p.read(t)
				want(t, fmt.Sprintf("message %d is compressed", i), compressed, row.compressed)
				if got != row.payload {
					t.Errorf("message %d: got %.100q, want %.100q", i, got, row.payload)
				}
				must(t, p.client.Frame(true, wire.OpBinary, []byte("plain")))
				if got, compressed := p.read(t); got != "plain" || compressed {
					t.Errorf("behind message %d: got %q, compressed %t", i, got, compressed)
				}
			}
		})
	}
}

// TestCompressedFragments: only the first fragment says that the message is compressed (RFC 7692, section 6.1).
func TestCompressedFragments(t *testing.T) {
	p := agreed(t, wire.NewEngine(compressing()), takeover, &recorder{})
	for _, text := range []string{"Hello, Hello", compressible(3)} {
		b := p.packed(text)
		frames := wsxtest.AppendFrame(nil, false, wire.OpText|rsv1, b[:1])
		for _, one := range b[1:] {
			frames = wsxtest.AppendFrame(frames, true, wire.OpPing, []byte("between"))
			frames = wsxtest.AppendFrame(frames, false, wire.OpContinuation, []byte{one})
		}
		must(t, p.client.Raw(wsxtest.AppendFrame(frames, true, wire.OpContinuation, nil)))
	}
	must(t, p.client.Frame(true, wire.OpText, []byte("done")))
	p.client.SendClose(ws.StatusNormalClosure, "")
	p.client.ReadClose()
	<-p.over
	got := slices.DeleteFunc(p.handler.all(), func(s string) bool { return strings.HasPrefix(s, "ping") })
	wantAll(t, "handled", got[:3], []string{`text "Hello, Hello"`, describe("text", []byte(compressible(3))), `text "done"`})
}

// TestCompressedRefused: what a compressed message may not be, with the status that it closes with.
func TestCompressedRefused(t *testing.T) {
	cfg := compressing()
	cfg.MaxMessage = 1000
	frame := func(fin bool, op wire.Opcode, p []byte) []byte { return wsxtest.AppendFrame(nil, fin, op, p) }
	hello := []byte("\xf2\x48\xcd\xc9\xc9\x07\x00")
	zeros := func(n int) []byte { return fastest.Append(nil, make([]byte, n), nil, 15) }
	for name, row := range map[string]struct {
		frames []byte
		want   ws.Status
	}{
		"reserved bit on a continuation": {join(frame(false, wire.OpText|rsv1, hello), frame(true, wire.OpContinuation|rsv1, nil)), ws.StatusProtocolError},
		"reserved bit on a ping":         {frame(true, wire.OpPing|rsv1, hello), ws.StatusProtocolError},
		"reserved bit on a close":        {frame(true, wire.OpClose|rsv1, nil), ws.StatusProtocolError},
		"second reserved bit":            {frame(true, wire.OpText|0x20, hello), ws.StatusProtocolError},
		"two reserved bits":              {frame(true, wire.OpText|0x60, hello), ws.StatusProtocolError},
		"corrupt":                        {frame(true, wire.OpText|rsv1, []byte("\xff\xff\xff\xff")), ws.StatusInvalidPayload},
		"cut off":                        {frame(true, wire.OpText|rsv1, hello[:3]), ws.StatusInvalidPayload},
		"into the message before":        {join(frame(true, wire.OpText|rsv1, hello), frame(true, wire.OpText|rsv1, []byte("\xf2\x00\x11\x00\x00"))), ws.StatusInvalidPayload},
		"no UTF-8":                       {frame(true, wire.OpText|rsv1, fastest.Append(nil, []byte("caf\xe9"), nil, 15)), ws.StatusInvalidPayload},
		"no UTF-8 in the middle":         {frame(true, wire.OpText|rsv1, fastest.Append(nil, []byte("caf\xff!"), nil, 15)), ws.StatusInvalidPayload},
		"UTF-8, cut off":                 {frame(true, wire.OpText|rsv1, fastest.Append(nil, []byte("caf\xc3"), nil, 15)), ws.StatusInvalidPayload},
		"too big":                        {frame(true, wire.OpBinary|rsv1, zeros(1001)), ws.StatusMessageTooBig},
		"bomb":                           {frame(true, wire.OpBinary|rsv1, zeros(8<<20))[:6000], ws.StatusMessageTooBig},
		"bomb in fragments":              {join(frame(false, wire.OpBinary|rsv1, zeros(1 << 20)[:500]), frame(true, wire.OpContinuation, zeros(1 << 20)[500:])), ws.StatusMessageTooBig},
		"announced":                      {wire.AppendHeader(nil, true, wire.OpBinary|rsv1, 3025, &[4]byte{1, 2, 3, 4}), ws.StatusMessageTooBig},
		"announced without compression":  {wire.AppendHeader(nil, true, wire.OpBinary, 1001, &[4]byte{1, 2, 3, 4}), ws.StatusMessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			p := agreed(t, wire.NewEngine(cfg), alone, &recorder{})
			must(t, p.client.Raw(row.frames))
			want(t, "status", p.client.ReadClose().Status, row.want)
		})
	}
	t.Run("not agreed", func(t *testing.T) {
		r := dialed(t, cfg, &recorder{})
		must(t, r.client.Raw(frame(true, wire.OpText|rsv1, hello)))
		want(t, "status", r.client.ReadClose().Status, ws.StatusProtocolError)
	})
	t.Run("as big as allowed", func(t *testing.T) {
		p := agreed(t, wire.NewEngine(cfg), alone, echo())
		must(t, p.client.Raw(frame(true, wire.OpBinary|rsv1, zeros(1000))))
		got, _ := p.read(t)
		want(t, "echo", got, string(make([]byte, 1000)))
	})
}

// TestSharedRounds: a round goes out compressed once to all that share it, as it is to those that have not agreed, and
// through its own compressor to a connection with context takeover, and as it is again to one with a smaller window;
// what is sent to one of them in between disturbs nothing.
func TestSharedRounds(t *testing.T) {
	e := wire.NewEngine(compressing())
	peers := map[string]*peer{
		"alone":    agreed(t, e, alone, &recorder{}),
		"another":  agreed(t, e, alone, &recorder{}),
		"takeover": agreed(t, e, takeover, &recorder{}),
		"narrow":   agreed(t, e, narrow, &recorder{}),
	}
	type message struct {
		text   string
		direct bool // and not in a round
	}
	var sent []message
	position := uint64(0)
	for i := range 30 {
		round := wire.NewRound(position)
		for j := range 1 + i%3 {
			m := compressible(i)
			if (i+j)%4 == 0 {
				m = "short"
			}
			packed := e.Pack([]byte(m))
			want(t, "packed", packed != nil, m != "short")
			round.Append(ws.Text, []byte(m), packed)
			packed.Free()
			sent = append(sent, message{text: m})
		}
		position = round.End()
		for _, p := range peers {
			_, _, err := p.SendRound(round)
			must(t, err)
			must(t, p.Send(ws.Binary, []byte(compressible(i))))
		}
		round.Release()
		sent = append(sent, message{text: compressible(i), direct: true})
	}
	for name, p := range peers {
		for i, m := range sent {
			got, compressed := p.read(t)
			if want := m.text != "short" && (m.direct || name != "narrow"); got != m.text || compressed != want {
				t.Fatalf("%s, message %d: got %q, compressed %t, want %q, %t", name, i, got, compressed, m.text, want)
			}
		}
	}
}

// TestPackForNobody: without anybody who shares it nothing is compressed.
func TestPackForNobody(t *testing.T) {
	e := wire.NewEngine(compressing())
	p := agreed(t, e, takeover, &recorder{})
	agreed(t, e, narrow, &recorder{})
	if e.Pack([]byte(compressible(1))) != nil {
		t.Error("compressed although nobody shares it")
	}
	shared := agreed(t, e, alone, &recorder{})
	packed := e.Pack([]byte(compressible(1)))
	if packed == nil {
		t.Error("not compressed although somebody shares it")
	}
	packed.Free()
	shared.Abort()
	<-shared.over
	if e.Pack([]byte(compressible(1))) != nil {
		t.Error("compressed although nobody is left who shares it")
	}
	must(t, p.Send(ws.Text, []byte(compressible(1))))
	got, _ := p.read(t)
	want(t, "message", got, compressible(1))
}

// TestTakeoverFromManyGoroutines: messages refer to each other in the order in which they go out.
func TestTakeoverFromManyGoroutines(t *testing.T) {
	const senders, each = 4, 50
	cfg := compressing()
	cfg.OutboxMessages, cfg.OutboxBytes = 0, 0
	e := wire.NewEngine(cfg)
	p := agreed(t, e, takeover, &recorder{})
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() {
			for i := range each {
				if err := p.Send(ws.Text, []byte(compressible(s*each+i))); err != nil {
					t.Error(err)
				}
				if err := p.round(ws.Text, []byte(compressible(s*each+i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	got := make(map[string]int)
	for range 2 * senders * each {
		m, _ := p.read(t)
		got[m]++
	}
	all.Wait()
	for i := range senders * each {
		want(t, "copies of a message", got[compressible(i)], 2)
	}
}
