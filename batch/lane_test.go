package batch_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/batch"
)

// gate is a handler's result that waits for open, or for the handler's context.
type gate chan struct{}

func (g gate) pass(ctx context.Context, _ *batch.Batch[int]) error {
	select {
	case <-g:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fillUp leaves a lane of MaxItems 2 full: items 0 and 1 are in flight, 2 and 3 wait.
func fillUp(t *testing.T, add func(item int) error) {
	t.Helper()
	for i := range 4 {
		must(t, add(i))
		synctest.Wait()
	}
}

func TestAddBlocksWhileTheLaneIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(gate)
		rec := record(open.pass)
		b := batch.New(batch.Config{MaxItems: 2}, rec.handle)
		fillUp(t, func(i int) error { return b.Add(t.Context(), i) })
		var added []int // in the order in which they got in
		var mu sync.Mutex
		for i := 4; i < 9; i++ {
			go func() {
				try(t, b.Add(context.Background(), i))
				mu.Lock()
				added = append(added, i)
				mu.Unlock()
			}()
			synctest.Wait() // so that they queue in this order
		}
		if len(added) != 0 || b.Stats().Accepted != 4 {
			t.Fatalf("a full lane accepted %v: %+v", added, b.Stats())
		}
		open <- struct{}{}
		synctest.Wait()
		if len(added) != 2 || b.Stats().Accepted != 6 {
			t.Fatalf("room for two let %v in: %+v", added, b.Stats())
		}
		close(open)
		synctest.Wait()
		must(t, b.Close(t.Context()))
		wantEqual(t, "order", rec.items(), upTo(0, 9))
		wantEqual(t, "sizes", rec.sizes(), []int{2, 2, 2, 2, 1})
		wantLedger(t, b.Stats())
	})
}

// A payload that does not fit must not be overtaken by later ones that would.
func TestAddKeepsTheQueueWhenTheFirstDoesNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(gate)
		rec := record(open.pass)
		b := batch.New(batch.Config{MaxBytes: 10, MaxAge: time.Hour}, rec.handle)
		lane := b.NewLane()
		must(t, lane.Add(t.Context(), 0, make([]byte, 10)))
		must(t, lane.Add(t.Context(), 1, make([]byte, 4)))
		go func() { try(t, lane.Add(context.Background(), 2, make([]byte, 8))) }()
		synctest.Wait()
		go func() { try(t, lane.Add(context.Background(), 3, make([]byte, 1))) }()
		synctest.Wait()
		if n := b.Stats().Accepted; n != 2 {
			t.Errorf("%d accepted, want 2", n)
		}
		close(open)
		synctest.Wait()
		must(t, b.Close(t.Context()))
		wantEqual(t, "order", rec.items(), upTo(0, 4))
		wantEqual(t, "sizes", rec.sizes(), []int{1, 1, 2})
	})
}

func TestBlockedAddObeysItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(gate)
		rec := record(open.pass)
		b := batch.New(batch.Config{MaxItems: 2}, rec.handle)
		fillUp(t, func(i int) error { return b.Add(t.Context(), i) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Add(ctx, 99); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
		if d := time.Since(rec.start); d != time.Second {
			t.Errorf("it took %v, want one second", d)
		}
		close(open)
		must(t, b.Close(t.Context()))
		wantEqual(t, "items", rec.items(), upTo(0, 4))
		if n := b.Stats().Accepted; n != 4 {
			t.Errorf("%d accepted, want 4", n)
		}
	})
}

func TestAddWithRoomDoesNotLookAtItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := batch.New(batch.Config{}, record(nil).handle)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		must(t, b.Add(ctx, 1))
		must(t, b.Close(t.Context()))
	})
}

func TestLanesAreIndependent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(gate)
		rec := record(func(ctx context.Context, b *batch.Batch[int]) error {
			if b.Item(0) < 100 {
				return open.pass(ctx, b)
			}
			return nil
		})
		b := batch.New(batch.Config{MaxItems: 2}, rec.handle)
		slow, fast := b.NewLane(), b.NewLane()
		fillUp(t, func(i int) error { return slow.Add(t.Context(), i, nil) })
		for i := 100; i < 110; i++ {
			must(t, fast.Add(t.Context(), i, nil))
			synctest.Wait()
		}
		must(t, fast.Flush(t.Context()))
		if n := b.Stats().Handled; n != 10 {
			t.Errorf("%d handled beside a blocked lane, want 10", n)
		}
		close(open)
		must(t, b.Close(t.Context()))
	})
}

func TestFlushHandlesTheTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := record(func(context.Context, *batch.Batch[int]) error {
			time.Sleep(10 * time.Millisecond)
			return nil
		})
		b := batch.New(batch.Config{MaxItems: 2}, rec.handle)
		lane := b.NewLane()
		for i := range 3 { // two in flight, one in the tail
			must(t, lane.Add(t.Context(), i, nil))
		}
		must(t, lane.Flush(t.Context()))
		wantEqual(t, "items", rec.items(), upTo(0, 3))
		if d := time.Since(rec.start); d != 20*time.Millisecond {
			t.Errorf("Flush returned after %v, want when both were handled, 20ms", d)
		}
		must(t, lane.Flush(t.Context())) // nothing to do
		if d := time.Since(rec.start); d != 20*time.Millisecond {
			t.Errorf("Flush of an empty lane waited until %v", d)
		}
		must(t, b.Close(t.Context()))
	})
}

func TestFlushObeysItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(gate)
		b := batch.New(batch.Config{}, record(open.pass).handle)
		must(t, b.Add(t.Context(), 1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
		close(open)
		must(t, b.Close(t.Context()))
		if n := b.Stats().Handled; n != 1 {
			t.Errorf("%d handled, want 1: the handover goes on", n)
		}
	})
}

func TestBatcherFlushesAllLanesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := record(func(context.Context, *batch.Batch[int]) error {
			time.Sleep(10 * time.Millisecond)
			return nil
		})
		b := batch.New(batch.Config{}, rec.handle)
		for i := range 20 {
			must(t, b.NewLane().Add(t.Context(), i, nil))
		}
		must(t, b.Flush(t.Context()))
		if s, d := b.Stats(), time.Since(rec.start); s.Handled != 20 || d != 10*time.Millisecond {
			t.Errorf("%d handled after %v, want 20 after 10ms", s.Handled, d)
		}
		must(t, b.Close(t.Context()))
	})
}

// A batch that came of age behind a failing one goes on filling, and is handed over the moment the lane is free.
func TestDueBatchFillsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := record(func(_ context.Context, b *batch.Batch[int]) error {
			if b.Item(0) == 0 && b.Attempt() < 3 {
				return errStore
			}
			return nil
		})
		b := batch.New(batch.Config{MaxItems: 10}, rec.handle)
		must(t, b.Add(t.Context(), 0)) // handed over at 100 ms, fails then and at 200, done at 400
		for i := 1; i < 8; i++ {
			time.Sleep(50 * time.Millisecond)
			if i > 2 {
				must(t, b.Add(t.Context(), i))
			}
		}
		time.Sleep(time.Second)
		wantEqual(t, "items", rec.items(), []int{0, 0, 0, 3, 4, 5, 6, 7})
		times := rec.times()
		if last := times[len(times)-1]; last != 400*time.Millisecond {
			t.Errorf("the second batch was handed over at %v, want 400ms", last)
		}
		must(t, b.Close(t.Context()))
	})
}
