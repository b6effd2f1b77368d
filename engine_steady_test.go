package wsx_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestASteadyReaderIsNotCut: a client that reads slowly, but all the time, stays, although the socket's buffer needs
// longer than the write deadline to become noticeably emptier.
func TestASteadyReaderIsNotCut(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 8 s")
	}
	onEach(t, func(t *testing.T, on transport) {
		t.Parallel()
		const messages = 128
		h := echoHub(hub.Config{
			OutboxBytes: 64 << 20, OutboxMessages: 1000, WriteDeadline: time.Second, PingInterval: -1,
			OnMessage: func(c *hub.Conn, _ hub.Message) error {
				for range messages {
					if err := c.SendText(strings.Repeat("x", 64<<10)); err != nil {
						return err
					}
				}
				return nil
			},
		})
		c := wsxtest.Dial(t, on.serve(t, h), wsxtest.Options{Faults: []wsxtest.Faults{{Reading: true, Throttle: 1 << 20}}})
		c.SendText("go")
		for i := range messages {
			if _, err := c.Read(); err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
		}
	})
}
