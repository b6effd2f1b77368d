package batch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/batch"
)

func TestCloseOfAnIdleBatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := batch.New(batch.Config{}, record(nil).handle)
		for range 3 {
			must(t, b.Close(t.Context()))
		}
		if err := b.Add(t.Context(), 1); !errors.Is(err, batch.ErrClosed) {
			t.Errorf("Add: %v", err)
		}
		if err := b.NewLane().Add(t.Context(), 1, nil); !errors.Is(err, batch.ErrClosed) {
			t.Errorf("Add to a new lane: %v", err)
		}
		must(t, b.Flush(t.Context()))
		must(t, b.NewLane().Flush(t.Context()))
		if s := b.Stats(); s != (batch.Stats{}) {
			t.Errorf("%+v", s)
		}
	})
}

func TestCloseHandsOverAtOnceAndRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := record(func(_ context.Context, b *batch.Batch[int]) error {
			if b.Attempt() < 3 {
				return errStore
			}
			return nil
		})
		b := batch.New(batch.Config{MaxItems: 2}, rec.handle)
		for i := range 3 {
			must(t, b.Add(t.Context(), i))
		}
		must(t, b.Close(t.Context()))
		wantEqual(t, "times", rec.times(), ms(0, 100, 300, 300, 400, 600))
		wantLedger(t, b.Stats())
		if s := b.Stats(); s.Handled != 3 {
			t.Errorf("%+v", s)
		}
	})
}

// Close's context ends in each of the places where a batch can be.
func TestCloseAbandonsWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost []batch.AbandonedError
		rec := record(func(context.Context, *batch.Batch[int]) error { return errStore })
		b := batch.New(batch.Config{MaxItems: 2, OnAbandon: func(err error, _ int) {
			var e *batch.AbandonedError
			errors.As(err, &e)
			lost = append(lost, *e)
		}}, rec.handle)
		fillUp(t, func(i int) error { return b.Add(t.Context(), i) }) // one batch retries, one waits
		blocked := make(chan error, 1)
		var refused time.Duration
		go func() {
			err := b.Add(context.Background(), 4)
			refused = time.Since(rec.start)
			blocked <- err
		}()
		time.Sleep(10 * time.Millisecond)

		ctx, cancel := context.WithTimeout(t.Context(), 990*time.Millisecond)
		defer cancel()
		err := b.Close(ctx) // attempts at 0, 100, 300, 700; the next would be at 1500
		if d := time.Since(rec.start); d != time.Second {
			t.Errorf("Close took %v, want 1s", d)
		}
		var all *batch.AbandonedError
		if !errors.As(err, &all) || all.Items != 4 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
		if err := <-blocked; !errors.Is(err, batch.ErrClosed) || refused != 10*time.Millisecond {
			t.Errorf("the blocked Add: %v after %v, want ErrClosed when Close began, 10ms", err, refused)
		}
		if len(lost) != 2 || lost[0].Attempts != 4 || lost[0].Err != errStore ||
			lost[1].Attempts != 0 || lost[1].Err != context.DeadlineExceeded {
			t.Errorf("told of %+v", lost)
		}
		wantEqual(t, "times", rec.times(), ms(0, 100, 300, 700))
		wantLedger(t, b.Stats())
	})
}

func TestCloseLetsTheHandlerDecide(t *testing.T) {
	for _, tt := range []struct {
		name   string
		result error
	}{{"stored", nil}, {"failed", errStore}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := batch.New(batch.Config{OnRetry: func(error, int, time.Duration) {
					t.Error("told of a retry that cannot come")
				}}, func(ctx context.Context, _ *batch.Batch[int]) error {
					<-ctx.Done()
					time.Sleep(closeWithin) // the rollback, or the commit
					return tt.result
				})
				start := time.Now()
				must(t, b.Add(t.Context(), 1))
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				err := b.Close(ctx)
				if (err == nil) != (tt.result == nil) {
					t.Errorf("Close: %v", err)
				}
				if d := time.Since(start); d != 5*time.Second+closeWithin {
					t.Errorf("the handler's context ended, and Close returned, after %v", d)
				}
				wantLedger(t, b.Stats())
			})
		})
	}
}

const closeWithin = 900 * time.Millisecond // less than the second that Close allows

func TestCloseDoesNotWaitForAHandlerThatIgnoresItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := batch.New(batch.Config{}, func(context.Context, *batch.Batch[int]) error {
			time.Sleep(time.Hour)
			return nil
		})
		start := time.Now()
		must(t, b.Add(t.Context(), 1))
		must(t, b.Add(t.Context(), 2))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err := b.Close(ctx)
		var stuck *batch.StuckError
		if !errors.As(err, &stuck) || stuck.Items != 2 {
			t.Errorf("Close: %v", err)
		}
		if d := time.Since(start); d != 6*time.Second {
			t.Errorf("Close took %v, want 6s", d)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		must(t, b.Close(t.Context())) // it came back in the end, and its word counts
		wantLedger(t, b.Stats())
	})
}

func TestCloseWithAnEndedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := record(func(ctx context.Context, _ *batch.Batch[int]) error {
			<-ctx.Done()
			return ctx.Err()
		})
		b := batch.New(batch.Config{}, rec.handle)
		for i := range 10 {
			must(t, b.NewLane().Add(t.Context(), i, nil))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := b.Close(ctx)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Close: %v", err)
		}
		if s := b.Stats(); s.Abandoned != 10 {
			t.Errorf("%+v", s)
		}
		wantLedger(t, b.Stats())
	})
}

func TestTwoCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := batch.New(batch.Config{Attempts: -1}, func(context.Context, *batch.Batch[int]) error { return errStore })
		must(t, b.Add(t.Context(), 1))
		first := make(chan error, 1)
		go func() { first <- b.Close(context.Background()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for _, err := range []error{b.Close(ctx), <-first} {
			var lost *batch.AbandonedError
			if !errors.As(err, &lost) || lost.Items != 1 {
				t.Errorf("Close: %v", err)
			}
		}
		wantLedger(t, b.Stats())
	})
}
