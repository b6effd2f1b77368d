package hub_test

import (
	"runtime"
	"strings"
	"sync"
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

// TestBudgetIsNotHeldByWhatComesMeanwhile: nobody waits for what another connection adds while the one looks for what
// to hand over. Without that it takes some hundred rounds with the race detector, and some thousand without.
func TestBudgetIsNotHeldByWhatComesMeanwhile(t *testing.T) {
	st := newStore(nil)
	h := newHub(t, hub.Config{OnBatch: st.handle, BatchPer: hub.PerConn, IngestBudget: 1, Batch: batch.Config{MaxAge: -1}})
	all := []*session{connect(t, h), connect(t, h), connect(t, h)}
	for sent := uint64(0); sent < 3000; {
		var sending sync.WaitGroup
		for _, s := range all {
			sent++
			sending.Go(func() { s.SendText("x") })
		}
		sending.Wait()
		for deadline := time.Now().Add(patience); h.Stats().BatchAccepted < sent; runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Errorf("%d messages are accepted of %d", h.Stats().BatchAccepted, sent)
				_ = h.Shutdown(t.Context())
				return
			}
		}
	}
}
