package wsx_test

import (
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// after are what another goroutine than the connection's can do right behind a broadcast.
var after = map[string]func(h *hub.Hub, c *hub.Conn){
	"Join": func(_ *hub.Hub, c *hub.Conn) { _ = c.Join("room"); _ = c.Join("more") },
	"Leave": func(_ *hub.Hub, c *hub.Conn) {
		_ = c.Join("room")
		_ = c.Leave("room")
	},
	"a broadcast to all but it": func(h *hub.Hub, c *hub.Conn) { _ = h.All().Except(c).SendText("others") },
	"Buffered":                  func(_ *hub.Hub, c *hub.Conn) { _, _ = c.Buffered() },
	"a message that is none":    func(_ *hub.Hub, c *hub.Conn) { _ = c.SendText("\xff") },
	"a ping":                    func(_ *hub.Hub, c *hub.Conn) { _ = c.Ping(nil) },
	"nothing":                   func(*hub.Hub, *hub.Conn) {},
}

// TestABroadcastDoesNotWait has something happen to a receiver while a broadcast is on its way: it arrives even if
// nothing is sent behind it.
func TestABroadcastDoesNotWait(t *testing.T) {
	for name, act := range after {
		t.Run("before "+name, func(t *testing.T) {
			onEach(t, func(t *testing.T, on transport) { testBroadcastArrives(t, on, act) })
		})
	}
}

func testBroadcastArrives(t *testing.T, on transport, act func(*hub.Hub, *hub.Conn)) {
	conns := make(chan *hub.Conn, 1)
	cfg := patient(conns)
	cfg.ControlRate = -1
	h := echoHub(cfg)
	client := wsxtest.Dial(t, on.serve(t, h))
	c := <-conns
	said(t, client, "hello") // so that it has arrived
	for n := range 500 {
		text := numbered(n) + strings.Repeat("y", n%2*2000) // copied or shared
		if err := h.All().SendText(text); err != nil {
			t.Fatal(err)
		}
		act(h, c)
		if got := client.ReadText(); got != text {
			t.Fatalf("got %q, want %q", got, text)
		}
		_, _ = c.Leave("room"), c.Leave("more")
	}
}
