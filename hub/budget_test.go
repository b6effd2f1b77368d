package hub_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
)

// TestBudgetIsNotHeldByWhatFills: batches that may fill for long go to the store when they use the budget up, though
// their connections send nothing more.
func TestBudgetIsNotHeldByWhatFills(t *testing.T) {
	for name, age := range map[string]time.Duration{"off": -1, "long": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := newStore(nil)
				h := newHub(t, hub.Config{
					OnBatch: st.handle, BatchPer: hub.PerConn, IngestBudget: 1000, Batch: batch.Config{MaxAge: age},
				})
				var all []*session
				for range 6 {
					all = append(all, connect(t, h))
				}
				for range 3 { // the budget is used up more than once
					for _, s := range all {
						s.SendText(strings.Repeat("x", 200))
						s.sync()
					}
				}
				synctest.Wait()
				stats := h.Stats()
				want(t, "accepted", stats.BatchAccepted, 18)
				want(t, "paused", stats.Paused, 0)
			})
		})
	}
}
