package batch_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/batch"
)

// The first Add of a lane meets Close: it is refused, or what it added is handled.
func TestFirstAddRacesWithClose(t *testing.T) {
	for range 3000 {
		b := batch.New(batch.Config{Lanes: 4, MaxAge: time.Hour}, record(nil).handle)
		var accepted atomic.Uint64
		var wg sync.WaitGroup
		for key := range 2 {
			wg.Go(func() {
				for range 4 {
					if b.NewLane().Add(context.Background(), key, nil) == nil {
						accepted.Add(1)
					}
				}
			})
		}
		try(t, b.Close(context.Background()))
		wg.Wait()
		if s := b.Stats(); s.Handled != accepted.Load() || s.Pending != 0 {
			t.Fatalf("%d Adds succeeded: %+v", accepted.Load(), s)
		}
	}
}

// Many adders race with Close, on real threads, with a handler that fails in every way at random. What Add accepted
// is what is handled or abandoned, item by item.
func TestLedgerUnderRace(t *testing.T) {
	for round := range 20 {
		var mu sync.Mutex
		settled := map[int]int{}
		b := batch.New(batch.Config{
			MaxItems: 1 + round, MaxBytes: 200, MaxAge: time.Millisecond, Lanes: 3, Attempts: 3, Backoff: 50 * time.Microsecond,
		}, func(_ context.Context, b *batch.Batch[int]) error {
			if rand.IntN(4) == 0 {
				return errStore
			}
			mu.Lock()
			defer mu.Unlock()
			for i, item := range b.All() {
				if len(b.Payload(i)) != item%17 {
					t.Errorf("item %d has a payload of %d bytes", item, len(b.Payload(i)))
				}
				settled[item]++
			}
			return nil
		})
		accepted, refused := race(t, b)
		s := b.Stats()
		wantLedger(t, s)
		if s.Accepted != accepted || uint64(len(settled)) != s.Handled {
			t.Errorf("%d Adds succeeded, %d distinct items handled, %+v", accepted, len(settled), s)
		}
		for item, n := range settled {
			if n != 1 {
				t.Errorf("item %d was handled %d times", item, n)
			}
		}
		if refused != adders {
			t.Errorf("%d of %d adders saw ErrClosed", refused, adders)
		}
	}
}

const adders = 16

// race adds from many goroutines until Close, and returns how many Adds succeeded and how many adders met ErrClosed.
func race(t *testing.T, b *batch.Batcher[int]) (accepted, refused uint64) {
	var ok, closed atomic.Uint64
	var wg sync.WaitGroup
	for g := range adders {
		wg.Go(func() {
			own := b.NewLane()
			for n := 0; ; n++ {
				item := g*1_000_000 + n
				lane := b.Lane(uint64(g))
				if g%4 == 0 {
					lane = own
				}
				switch err := lane.Add(context.Background(), item, make([]byte, item%17)); {
				case err == nil:
					ok.Add(1)
				case errors.Is(err, batch.ErrClosed):
					closed.Add(1)
					return
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	for ok.Load() < 500 {
		_ = b.Stats()
		must(t, b.Flush(t.Context()))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := b.Close(ctx); err != nil {
		var lost *batch.AbandonedError
		if !errors.As(err, &lost) {
			t.Error(err)
		}
	}
	wg.Wait()
	return ok.Load(), closed.Load()
}

// Adds whose contexts end while they wait are either in or out, never both.
func TestLedgerWithCancelledAdds(t *testing.T) {
	handled := map[int]bool{}
	b := batch.New(batch.Config{MaxItems: 2, Lanes: 1}, func(_ context.Context, b *batch.Batch[int]) error {
		for _, item := range b.All() { // one lane: never twice at once
			handled[item] = true
		}
		return nil
	})
	added := make([]bool, 4000)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := g; i < len(added); i += 8 {
				ctx, cancel := context.WithCancel(context.Background())
				go cancel()
				added[i] = b.Add(ctx, i) == nil
				cancel()
			}
		})
	}
	wg.Wait()
	must(t, b.Close(t.Context()))
	for i := range added {
		if added[i] != handled[i] {
			t.Errorf("item %d: added %v, handled %v", i, added[i], handled[i])
		}
	}
	wantLedger(t, b.Stats())
}
