package hub_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/fiberwsx/wsx/hub"
)

// witness counts what handlers take, so that every hub that a test ends has its report checked by somebody else.
type witness struct{ committed, letters atomic.Uint64 }

// watch returns cfg with handlers that count.
func (w *witness) watch(cfg hub.Config) hub.Config {
	if store := cfg.OnBatch; store != nil {
		cfg.OnBatch = func(ctx context.Context, b *hub.Batch) error {
			err := store(ctx, b)
			if err == nil {
				taken := b.Len()
				for range b.Rejected() {
					taken--
				}
				w.committed.Add(uint64(taken))
			}
			return err
		}
	}
	if bury := cfg.DeadLetter; bury != nil {
		cfg.DeadLetter = func(ctx context.Context, rejected []hub.Rejected) error {
			err := bury(ctx, rejected)
			if err == nil {
				w.letters.Add(uint64(len(rejected)))
			}
			return err
		}
	}
	return cfg
}

// check checks the report of a hub that has ended.
func (w *witness) check(t *testing.T, h *hub.Hub) {
	t.Helper()
	r, s := h.Report(), h.Stats()
	if r.Accepted != r.Committed+r.DeadLettered+r.Nacked+r.Dropped+r.Abandoned || r.Pending != 0 {
		t.Errorf("the report does not add up: %+v", r)
	}
	if s.BatchAccepted != s.BatchHandled+s.DeadLettered+s.Rejected+s.Dropped+s.Abandoned+s.BatchPending {
		t.Errorf("the figures do not add up: %+v", s)
	}
	if s.BatchAccepted+s.RateLimited+s.Unnumbered+s.Invalid != s.MessagesIn && s.BatchAccepted > 0 {
		t.Errorf("of %d messages %d were accepted, %d over the rate, %d without a number and %d invalid",
			s.MessagesIn, s.BatchAccepted, s.RateLimited, s.Unnumbered, s.Invalid)
	}
	if s.BatchPending > 0 {
		return // a handler has not returned, and may do so any time
	}
	want(t, "committed, as the handler counts", w.committed.Load(), s.BatchHandled)
	want(t, "dead-lettered, as the dead letter counts", w.letters.Load(), s.DeadLettered)
}
