package wsx_test

import (
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// TestProxiesThatTheAppDoesNotCheck has an app with a list of proxies that it does not use: then it is no list of whom
// to believe.
func TestProxiesThatTheAppDoesNotCheck(t *testing.T) {
	h := echoHub(tellIP)
	app := newApp(fiber.Config{ReadTimeout: 5 * time.Second, ProxyHeader: "X-Client", TrustedProxies: []string{"127.0.0.1"}})
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet}))
	if got := ipFor(t, serve(t, app, h), "+X-Client: 192.0.2.1"); got != "127.0.0.1" {
		t.Errorf("got %s", got)
	}
}

// TestUnmaskedAmongMasked sends a message without a mask, with more behind it in the same packet.
func TestUnmaskedAmongMasked(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		var received int
		h := echoHub(hub.Config{OnMessage: func(*hub.Conn, hub.Message) error { received++; return nil }})
		c := dialed(t, on.serve(t, h))
		if err := c.Raw([]byte("\x81\x05hello\x81\x05hello\x81\x05hello")); err != nil {
			t.Fatal(err)
		}
		if e := c.ReadClose(); e.Status != ws.StatusProtocolError {
			t.Errorf("closed with %v", e)
		}
		_ = c.Conn().Close()
		eventually(t, "it is over", func() bool { return h.Stats().Closed == 1 })
		if received != 0 {
			t.Errorf("%d messages were handled", received)
		}
	})
}
