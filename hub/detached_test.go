//go:build linux

package hub_test

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// TestDetachedSilentPeerIsCut: the heartbeat finds a dead peer although no goroutine of the connection runs.
func TestDetachedSilentPeerIsCut(t *testing.T) {
	closed := make(chan error, 1)
	h := newHub(t, hub.Config{
		OnMessage: nothing, PingInterval: 50 * time.Millisecond, PongTimeout: 50 * time.Millisecond,
		OnClose: func(_ *hub.Conn, err error) { closed <- err },
	})
	connectTCP(t, h)
	want(t, "cause", ws.StatusOf(await(t, closed, "OnClose")), ws.StatusHeartbeatTimeout)
}

// TestDetachedPeerThatAnswersStays: through many pings, after which its messages still arrive.
func TestDetachedPeerThatAnswersStays(t *testing.T) {
	h := newHub(t, hub.Config{
		OnMessage:    func(c *hub.Conn, m hub.Message) error { return c.Send(m) },
		PingInterval: 20 * time.Millisecond, PongTimeout: 500 * time.Millisecond,
	})
	s := connectTCP(t, h)
	for i := range 3 {
		for range 10 {
			f, err := s.ReadFrame()
			must(t, err)
			want(t, "opcode", f.Op, wire.OpPing)
			must(t, s.Frame(true, wire.OpPong, f.Payload))
		}
		s.SendText("still here")
		if got := s.ReadText(); got != "still here" { // which answers pings on the way
			t.Fatalf("got %q the %d. time", got, i)
		}
	}
	if s.handle.RTT() <= 0 {
		t.Error("no round trip was measured")
	}
}

// TestIdleConnectionsCostNoGoroutine: not before their first message, and not when a ping has passed without another.
func TestIdleConnectionsCostNoGoroutine(t *testing.T) {
	const n = 30
	h := newHub(t, hub.Config{
		OnMessage:    func(c *hub.Conn, m hub.Message) error { return c.Send(m) },
		PingInterval: 2 * time.Second, PongTimeout: -1, // nobody answers; long against the time that connecting takes
	})
	for range n {
		s := connectTCP(t, h)
		s.SendText("hello")
		want(t, "echo", s.ReadText(), "hello")
	}
	if got := readers(); got < n {
		t.Errorf("%d goroutines read for %d connections that have just spoken", got, n)
	}
	stats := h.Stats()
	want(t, "detached", stats.Detached, n)
	want(t, "in place", stats.InPlace, 0)
	for deadline := time.Now().Add(patience); readers() > n/2; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d idle connections hold %d goroutines", n, readers())
		}
	}
}

// readers returns how many goroutines of connections there are that read.
func readers() int {
	stacks := make([]byte, 4<<20)
	return bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte("wire.(*Conn).live("))
}

func TestInPlaceIsCounted(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing})
	connect(t, h)
	stats := h.Stats()
	want(t, "in place", stats.InPlace, 1)
	want(t, "detached", stats.Detached, 0)
}
