package hub_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// Shorter names for the client's frames.
const (
	wireText   = wire.OpText
	wireBinary = wire.OpBinary
	wireClose  = wire.OpClose
	wirePing   = wire.OpPing
	wirePong   = wire.OpPong
)

func TestStates(t *testing.T) {
	var seen list[hub.State]
	note := func(c *hub.Conn) { seen.add(c.State()) }
	h := newHub(t, hub.Config{
		OnOpen: func(c *hub.Conn) error { note(c); return nil },
		OnMessage: func(c *hub.Conn, _ hub.Message) error {
			note(c)
			_ = c.Close(ws.StatusNormalClosure, "")
			note(c)
			return nil
		},
		OnClose: func(c *hub.Conn, _ error) { note(c) },
	})
	s := connect(t, h)
	s.SendText("x")
	s.wantClose(ws.StatusNormalClosure)
	s.gone()
	states := []hub.State{hub.StateConnecting, hub.StateOpen, hub.StateClosing, hub.StateClosed}
	got := seen.all()
	if len(got) != len(states) {
		t.Fatalf("got %v, want %v", got, states)
	}
	for i, name := range []string{"connecting", "open", "closing", "closed"} {
		want(t, "state", got[i], states[i])
		want(t, "name", got[i].String(), name)
	}
	want(t, "name of no state", hub.State(9).String(), "state 9")
}

func TestContextEndsWhenTheCloseStarts(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing})
	s := connect(t, h)
	ctx := s.handle.Context()
	want(t, "error while open", ctx.Err(), nil)
	must(t, s.handle.Close(ws.StatusKicked, "why"))
	want(t, "error after Close", ctx.Err(), context.Canceled)
	var e ws.CloseError
	if !errors.As(context.Cause(ctx), &e) || e != (ws.CloseError{Status: ws.StatusKicked, Reason: "why"}) {
		t.Errorf("cause: %v", context.Cause(ctx))
	}
}

func TestLastSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing})
		s := connect(t, h)
		start := time.Now()
		want(t, "before the first byte", s.handle.LastSeen().Equal(start), true)
		time.Sleep(3 * time.Second)
		s.SendText("x")
		s.sync()
		time.Sleep(time.Minute)
		want(t, "after a message", s.handle.LastSeen().Sub(start), 3*time.Second)
		must(t, s.Frame(true, wirePong, nil))
		s.sync()
		want(t, "after a pong", s.handle.LastSeen().Sub(start), 63*time.Second)
	})
}

func TestPingAndPong(t *testing.T) {
	var pings, pongs list[string]
	h := newHub(t, hub.Config{
		OnMessage: nothing,
		OnPing:    func(_ *hub.Conn, p []byte) { pings.add(string(p)) },
		OnPong:    func(_ *hub.Conn, p []byte) { pongs.add(string(p)) },
	})
	s := connect(t, h)
	full := make([]byte, 125)
	for _, send := range []struct {
		op wire.Opcode
		f  func([]byte) error
	}{{wirePing, s.handle.Ping}, {wirePong, s.handle.Pong}} {
		must(t, send.f(full))
		if f, err := s.ReadFrame(); err != nil || f.Op != send.op || len(f.Payload) != 125 {
			t.Errorf("got opcode %d of %d bytes, %v; want opcode %d of 125", f.Op, len(f.Payload), err, send.op)
		}
		if err := send.f(make([]byte, 126)); !errors.Is(err, hub.ErrControlTooLong) {
			t.Errorf("126 bytes: got %v, want ErrControlTooLong", err)
		}
	}
	must(t, s.Frame(true, wirePing, []byte("a")))
	if f, err := s.ReadFrame(); err != nil || f.Op != wirePong || string(f.Payload) != "a" {
		t.Errorf("the answer to a ping: %v, %v", f, err)
	}
	must(t, s.Frame(true, wirePong, []byte("b")))
	s.sync()
	want(t, "pings", len(pings.all()), 1)
	want(t, "pongs", len(pongs.all()), 1)
	want(t, "payload of the ping", pings.all()[0], "a")
	want(t, "payload of the pong", pongs.all()[0], "b")
}

// TestPingsOfASlowPeerAreBounded checks that pings which nobody takes end in an error and not in memory.
func TestPingsOfASlowPeerAreBounded(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing})
	s := connect(t, h)
	queued := 0
	for ; queued < 10_000; queued++ {
		if err := s.handle.Ping(make([]byte, 125)); err != nil {
			if !errors.Is(err, hub.ErrSlowConsumer) {
				t.Fatalf("got %v, want ErrSlowConsumer", err)
			}
			break
		}
	}
	if queued == 0 || queued > 200 {
		t.Errorf("%d pings of 125 bytes were queued", queued)
	}
	want(t, "state", s.handle.State(), hub.StateOpen)
}

func TestFlushAndBuffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing})
		s := connect(t, h)
		must(t, s.handle.Flush(t.Context()))
		for range 3 {
			must(t, s.handle.SendText("12345"))
		}
		messages, bytes := s.handle.Buffered()
		want(t, "buffered messages", messages, 3)
		want(t, "buffered bytes", bytes, 3*(2+5))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := s.handle.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush to a peer that does not read: %v", err)
		}
		want(t, "time that Flush took", time.Since(start), time.Second)

		flushed := make(chan error, 1)
		go func() { flushed <- s.handle.Flush(context.Background()) }()
		synctest.Wait()
		want(t, "flushed before the peer reads", len(flushed), 0)
		for range 3 {
			s.ReadText()
		}
		synctest.Wait()
		must(t, <-flushed)
		messages, bytes = s.handle.Buffered()
		want(t, "buffered messages", messages, 0)
		want(t, "buffered bytes", bytes, 0)
	})
}

func TestFlushEndsWithTheConnection(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing})
	s := connect(t, h)
	must(t, s.handle.SendText("never read"))
	flushed := make(chan error, 1)
	go func() { flushed <- s.handle.Flush(context.Background()) }()
	_ = s.Conn().Close()
	if err := await(t, flushed, "Flush"); !errors.Is(err, hub.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	s.gone()
	want(t, "unsent", h.Stats().Unsent, 1)
}
