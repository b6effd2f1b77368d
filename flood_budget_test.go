package wsx_test

import (
	"testing"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// budgetHub is an echo hub whose budgets a few connections use up, within the limits of each.
func budgetHub(ends chan ws.Status) *hub.Hub {
	return echoHub(hub.Config{
		Rate: -1, OutboxBudget: 512 << 10, PartialBudget: 512 << 10, PingInterval: -1,
		OutboxMessages: -1, OutboxBytes: 1 << 30, WriteDeadline: time.Minute, CloseTimeout: time.Minute,
		OnClose: func(_ *hub.Conn, err error) { ends <- ws.StatusOf(err) },
	})
}

// TestThePartialBudget has clients hold most of a message each, far below the limits: those whose is large are closed
// until half of the budget is free, those whose is small are not.
func TestThePartialBudget(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		const small, large, kept = 5, 20, 4 // of 64 KiB in half the budget
		ends := make(chan ws.Status, small+large+1)
		h := budgetHub(ends)
		address := on.serve(t, h)
		var closed int
		beside(t, address, func() {
			for range small {
				_ = wsxtest.Dial(t, address).Frame(false, opText, []byte("begun"))
			}
			for range large {
				c := wsxtest.Dial(t, address)
				_ = c.Frame(false, opText, make([]byte, 40_000))
				go func() { _, _ = c.Read() }()
			}
			for ; closed < large-kept+1; closed++ { // the small ones take some of it
				if got := <-ends; got != ws.StatusTryAgainLater {
					t.Errorf("one that keeps much ended with %s", got)
				}
			}
		})
		if got := h.Stats().PartialBytes; got == 0 || got > 512<<10/2 {
			t.Errorf("%d bytes are kept", got)
		}
		if got := h.Len(); got < small+large-closed {
			t.Errorf("%d are left", got)
		}
	})
}
