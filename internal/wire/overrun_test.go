package wire_test

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestRoundsKeepToTheBudget: who takes a little now and then is not closed for it, but gets no more of what is sent to
// many where such receivers use up the budget by themselves.
func TestRoundsKeepToTheBudget(t *testing.T) {
	const ms = time.Millisecond
	for name, row := range map[string]struct {
		slow, little int // receivers for which 800,000 bytes wait, and 4,000
		shared       bool
		after        time.Duration
		takes        bool // their sockets say so
		status       []ws.Status
		held         int // MiB, rounded down
	}{
		"of two the first":         {2, 0, false, 300 * ms, false, []ws.Status{ws.StatusSlowConsumer, 0}, 0},
		"not so soon":              {2, 0, false, 200 * ms, false, []ws.Status{0, 0}, 1},
		"not for what others hold": {1, 100, false, 300 * ms, false, []ws.Status{0}, 1},
		"not for what they share":  {3, 0, true, 300 * ms, false, []ws.Status{0, 0, 0}, 0},
		"not without a processor":  {2, 0, false, 300 * ms, true, []ws.Status{0, 0}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := limits()
				cfg.OutboxBudget = 1 << 20
				e := wire.NewEngine(cfg)
				shared := wire.NewRound(0)
				shared.Append(ws.Binary, make([]byte, 800_000), nil)
				var slow []*wire.Conn
				var clients []*wsxtest.Client
				for range row.slow {
					client, c := unheard(t, e, func(c *wire.Conn) {
						if row.takes {
							wire.Willing(c, func() bool { return true })
						}
					})
					if row.shared {
						_, _, err := c.SendRound(shared)
						must(t, err)
					} else {
						must(t, sendRound(c, 0, 800_000))
					}
					slow, clients = append(slow, c), append(clients, client)
				}
				shared.Release()
				for range row.little {
					_, c := unheard(t, e, func(*wire.Conn) {})
					must(t, sendRound(c, 0, 4000))
				}
				for begun := time.Now(); time.Since(begun) < row.after; time.Sleep(40 * ms) {
					for _, client := range clients {
						_, err := io.ReadFull(client.Conn(), make([]byte, 16<<10))
						must(t, err)
					}
				}
				var got []ws.Status
				for _, c := range slow {
					_ = sendRound(c, 1<<20, 600)
				}
				for _, c := range slow {
					got = append(got, ws.StatusOf(c.Cause()))
				}
				synctest.Wait()
				outboxes, _ := e.Held()
				want(t, "MiB held", int(outboxes>>20), row.held)
				want(t, "statuses", fmt.Sprint(got), fmt.Sprint(row.status))
			})
		})
	}
}
