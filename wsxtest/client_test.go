package wsxtest_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// verdict is a test that may fail without failing this one.
type verdict struct {
	testing.TB
	failure string
}

func (v *verdict) Helper() {}

func (v *verdict) Fatalf(format string, args ...any) {
	v.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failure returns how f fails its test; "" when it does not.
func failure(t *testing.T, f func(tb testing.TB)) string {
	v := &verdict{TB: t}
	over := make(chan struct{})
	go func() {
		defer close(over)
		f(v)
	}()
	<-over
	return v.failure
}

// serve writes bytes from the server's end of a pipe, then hangs up.
func serve(t *testing.T, b string) *wsxtest.Client {
	c, server := wsxtest.Pipe(t)
	go func() {
		_, _ = server.Write([]byte(b))
		_ = server.Close()
	}()
	return c
}

func ExampleAppendFrame() {
	b := wsxtest.AppendFrame(nil, true, wire.OpText, []byte("Hello"))
	payload := b[6:]
	wire.Mask(payload, binary.LittleEndian.Uint32(b[2:]))
	fmt.Printf("% x, a random key, %s\n", b[:2], payload)
	// Output: 81 85, a random key, Hello
}

func TestAppendFrameMasksAnew(t *testing.T) {
	p := make([]byte, 1000)
	a, b := wsxtest.AppendFrame(nil, true, wire.OpBinary, p), wsxtest.AppendFrame(nil, true, wire.OpBinary, p)
	if bytes.Equal(a, b) {
		t.Error("two frames have the same masking key")
	}
	want(t, "payload after masking", bytes.Count(p, []byte{0}), 1000)
	want(t, "length", len(a), 2+2+4+1000)
}

func TestReadFrame(t *testing.T) {
	long, longer := strings.Repeat("l", 126), strings.Repeat("m", 65536)
	c := serve(t, "\x01\x02ab"+"\xf9\x00"+"\x82\x7e\x00\x7e"+long+"\x80\x7f\x00\x00\x00\x00\x00\x01\x00\x00"+longer)
	for _, row := range []wsxtest.Frame{
		{Op: wire.OpText, Payload: []byte("ab")},
		{Fin: true, RSV: 0x70, Op: wire.OpPing, Payload: []byte{}},
		{Fin: true, Op: wire.OpBinary, Payload: []byte(long)},
		{Fin: true, Op: wire.OpContinuation, Payload: []byte(longer)},
	} {
		f, err := c.ReadFrame()
		must(t, err)
		want(t, "frame", fmt.Sprintf("%+v", f), fmt.Sprintf("%+v", row))
	}
	_, err := c.ReadFrame()
	want(t, "end", err, io.EOF)
}

// TestFramesBeforeTheHangUp: a server that has hung up does not hide what it sent before.
func TestFramesBeforeTheHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serve(t, "\x81\x01a"+"\x81\x01b"+"\x88\x02\x03\xe9")
		want(t, "first", c.ReadText(), "a")
		synctest.Wait() // the rest is in the client's buffer, and the pipe is closed
		want(t, "second", c.ReadText(), "b")
		want(t, "close", c.ReadClose(), ws.CloseError{Status: ws.StatusGoingAway})
		_, err := c.ReadFrame()
		want(t, "end", err, io.EOF)
	})
}

func TestReadFrameRefusesAMask(t *testing.T) {
	_, err := serve(t, "\x81\x81\x00\x00\x00\x00a").ReadFrame()
	if err == nil || !strings.Contains(err.Error(), "masked") {
		t.Errorf("got %v, want an error that says masked", err)
	}
}

func TestReadFrameWaitsForSomeTimeOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := wsxtest.Pipe(t)
		begun := time.Now()
		_, err := c.ReadFrame()
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() {
			t.Errorf("got %v, want a timeout", err)
		}
		want(t, "after", time.Since(begun), 10*time.Second)
	})
}

// TestRead joins fragments and answers a ping in between, as a peer sees it.
func TestRead(t *testing.T) {
	c, server := wsxtest.Pipe(t)
	answers := make(chan string, 1)
	go func() {
		_, _ = io.WriteString(server, "\x01\x01a\x89\x01p\x8a\x01q\x80\x01b")
		b := make([]byte, 7)
		_, _ = io.ReadFull(server, b)
		wire.Mask(b[6:], binary.LittleEndian.Uint32(b[2:]))
		answers <- string(b[:2]) + string(b[6:])
		_, _ = io.WriteString(server, "\x82\x02\x00\x01")
	}()
	m, err := c.Read()
	must(t, err)
	want(t, "message", fmt.Sprintf("%v %q", m.Type, m.Data), `text "ab"`)
	want(t, "answer to the ping", <-answers, "\x8a\x81p")
	m, err = c.Read()
	must(t, err)
	want(t, "message", fmt.Sprintf("%v %q", m.Type, m.Data), `binary "\x00\x01"`)
}

func TestFailures(t *testing.T) {
	for _, row := range []struct {
		name, sent string
		do         func(*wsxtest.Client)
		want       string
	}{
		{"ReadText of a binary message", "\x82\x01a", func(c *wsxtest.Client) { c.ReadText() }, "want text"},
		{"ReadText of nothing", "", func(c *wsxtest.Client) { c.ReadText() }, "EOF"},
		{"ReadClose of nothing", "\x81\x01a", func(c *wsxtest.Client) { c.ReadClose() }, "EOF"},
		{"SendText to nobody", "", func(c *wsxtest.Client) { c.SendText("x") }, "sending a message"},
		{"SendClose to nobody", "", func(c *wsxtest.Client) { c.SendClose(0, "") }, "sending a close frame"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := failure(t, func(tb testing.TB) {
				client, server := net.Pipe()
				go func() {
					if row.sent != "" { // a pipe waits for a reader of nothing, too
						_, _ = io.WriteString(server, row.sent)
					}
					_ = server.Close()
				}()
				row.do(wsxtest.NewClient(tb, client))
			})
			if !strings.Contains(got, row.want) {
				t.Errorf("failed with %q, want one that says %q", got, row.want)
			}
		})
	}
}

// engine is a server that echoes and stops when the client does.
type engine struct{ conn *wire.Conn }

func (e *engine) Message(t ws.MessageType, p []byte, _ bool) { _ = e.conn.Send(t, p) }
func (*engine) Ping([]byte)                                  {}
func (*engine) Pong([]byte)                                  {}
func (*engine) Closing()                                     {}

func (*engine) Ended() {}

func (*engine) Pause() {}

func serveWire(nc net.Conn) (cause <-chan error) {
	e, over := &engine{}, make(chan error, 1)
	e.conn = wire.New(nc, wire.NewEngine(wire.Config{CloseTimeout: time.Second}), e)
	go func() {
		e.conn.Run()
		over <- e.conn.Cause()
	}()
	return over
}

func TestClose(t *testing.T) {
	c, server := wsxtest.Pipe(t)
	cause := serveWire(server)
	c.SendText("x")
	want(t, "echo", c.ReadText(), "x")
	c.Close()
	want(t, "cause", <-cause, error(ws.CloseError{Status: ws.StatusNormalClosure}))
}

func TestSendClose(t *testing.T) {
	for _, e := range []ws.CloseError{{Status: ws.StatusKicked, Reason: "out"}, {Status: 0}} {
		c, server := wsxtest.Pipe(t)
		cause := serveWire(server)
		c.SendClose(e.Status, e.Reason)
		answer := c.ReadClose()
		want(t, "cause", <-cause, error(answer))
		if e.Status == 0 {
			e.Status = ws.StatusNoStatusRcvd
		}
		want(t, "answer", answer, e)
	}
}

func TestReset(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	nc, err := net.Dial("tcp", ln.Addr().String())
	must(t, err)
	server, err := ln.Accept()
	must(t, err)
	defer server.Close()
	wsxtest.NewClient(t, nc).Reset()
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the server read %v, want a reset", err)
	}
}
