package batch_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/batch"
)

func ms(n ...int) []time.Duration {
	var d []time.Duration
	for _, n := range n {
		d = append(d, time.Duration(n)*time.Millisecond)
	}
	return d
}

func TestRetrySchedule(t *testing.T) {
	for _, tt := range []struct {
		name  string
		cfg   batch.Config
		waits []time.Duration
	}{
		{"default", batch.Config{}, ms(100, 200, 400, 800, 1600, 3200, 5000)},
		{"no pause", batch.Config{Attempts: 3, Backoff: -1}, ms(0, 0)},
		{"no longest pause", batch.Config{Backoff: time.Second, MaxBackoff: -1}, ms(1000, 2000, 4000, 8000, 16000, 32000, 64000)},
		{"starts at the longest", batch.Config{Attempts: 3, Backoff: 9 * time.Second}, ms(5000, 5000)},
		{"one attempt", batch.Config{Attempts: 1}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told []time.Duration
				var rejected []batch.Rejected[int]
				tt.cfg.OnRetry = func(err error, attempt int, wait time.Duration) {
					if !errors.Is(err, errStore) || attempt != len(told)+1 {
						t.Errorf("told of attempt %d: %v", attempt, err)
					}
					told = append(told, wait)
				}
				rec := record(func(context.Context, *batch.Batch[int]) error { return errStore })
				tt.cfg.OnAbandon = func(err error, _ int) { t.Errorf("abandoned: %v", err) }
				b := batch.NewWithHooks(tt.cfg, rec.handle, batch.Hooks[int]{
					Settled: func(_ *batch.Batch[int], r []batch.Rejected[int]) { rejected = append(rejected, r...) },
				})
				must(t, b.Add(t.Context(), 1))
				must(t, b.Add(t.Context(), 2))
				must(t, b.Flush(t.Context()))
				at, times := time.Duration(0), []time.Duration{0}
				for _, w := range tt.waits {
					at += w
					times = append(times, at)
				}
				wantEqual(t, "waits told", told, tt.waits)
				wantEqual(t, "attempts, and one for each item", rec.times(), append(times, at, at))
				if len(rejected) != 2 || rejected[0].Item != 1 || rejected[1].Item != 2 || rejected[0].Cause != batch.Poison ||
					!errors.Is(rejected[1].Err, errStore) {
					t.Errorf("rejected %+v", rejected)
				}
				want := batch.Stats{Accepted: 2, Rejected: 2, Retries: uint64(len(tt.waits)) + 2}
				if got := b.Stats(); got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
				must(t, b.Close(t.Context())) // what was rejected is not its error
			})
		})
	}
}

func TestEveryKindOfFailureIsRetried(t *testing.T) {
	const secret = "text-of-the-panic"
	for _, tt := range []struct {
		name string
		fail func() error
		is   func(error) bool
	}{
		{"error", func() error { return errStore }, func(err error) bool { return errors.Is(err, errStore) }},
		{"panic", func() error { panic(secret) }, isPanic},
		{"panic with an error", func() error { panic(errors.New(secret)) }, isPanic},
		{"panic with nil", func() error { panic(any(nil)) }, isPanic},
		{"runtime error", func() error { var p *int; *p = 1; return nil }, isPanic},
		{"Goexit", func() error { runtime.Goexit(); return nil }, func(err error) bool { return errors.Is(err, batch.ErrGoexit) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var failures []error
				rec := record(func(_ context.Context, b *batch.Batch[int]) error {
					if b.Attempt() <= 2 {
						return tt.fail()
					}
					return nil
				})
				b := batch.New(batch.Config{OnRetry: func(err error, _ int, _ time.Duration) {
					failures = append(failures, err)
				}}, rec.handle)
				must(t, b.Lane(0).Add(t.Context(), 7, []byte("kept")))
				must(t, b.Flush(t.Context()))
				wantEqual(t, "times", rec.times(), ms(0, 100, 300))
				for i, c := range rec.seen() {
					if c.attempt != i+1 || c.items[0] != 7 || c.payloads[0] != "kept" {
						t.Errorf("attempt %d saw %+v", i+1, c)
					}
				}
				for _, err := range failures {
					if !tt.is(err) || strings.Contains(err.Error(), secret) {
						t.Errorf("told of %#v", err)
					}
				}
				if s := b.Stats(); len(failures) != 2 || s.Handled != 1 || s.Retries != 2 {
					t.Errorf("%d failures, %+v", len(failures), s)
				}
				must(t, b.Close(t.Context()))
			})
		})
	}
}

func isPanic(err error) bool {
	var p *batch.PanicError
	return errors.As(err, &p) && strings.Contains(string(p.Stack), "retry_test.go") &&
		!strings.Contains(string(p.Stack), "text-of-the-panic")
}

func TestGoexitInTheLastAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := record(func(_ context.Context, b *batch.Batch[int]) error {
			if b.Item(0) == 1 {
				runtime.Goexit()
			}
			return nil
		})
		b := batch.New(batch.Config{MaxItems: 1, Attempts: 1}, rec.handle)
		for i := range 4 {
			must(t, b.Add(t.Context(), i))
		}
		must(t, b.Flush(t.Context()))
		wantEqual(t, "items", rec.items(), upTo(0, 4))
		if s := b.Stats(); s.Handled != 3 || s.Rejected != 1 {
			t.Errorf("%+v", s)
		}
		must(t, b.Close(t.Context()))
	})
}

func TestOrderOfALaneSurvivesRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const keys, each = 5, 200
		last := make([]int, keys) // the item handled last of each key; a lane is never handled twice at once
		calls := 0
		b := batch.New(batch.Config{MaxItems: 7, Lanes: 1}, func(_ context.Context, b *batch.Batch[[2]int]) error {
			if calls++; calls%3 == 0 {
				return errStore
			}
			for _, it := range b.All() {
				if it[1] != last[it[0]]+1 {
					t.Errorf("key %d: %d after %d", it[0], it[1], last[it[0]])
				}
				last[it[0]] = it[1]
			}
			return nil
		})
		for key := range keys {
			go func() {
				for n := range each {
					try(t, b.Lane(uint64(key)).Add(context.Background(), [2]int{key, n + 1}, nil))
				}
			}()
		}
		time.Sleep(time.Hour)
		must(t, b.Close(t.Context()))
		for key, n := range last {
			if n != each {
				t.Errorf("key %d ended at %d of %d", key, n, each)
			}
		}
	})
}

func TestAttemptsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := record(func(_ context.Context, b *batch.Batch[int]) error {
			if b.Attempt() < 100 {
				return errStore
			}
			return nil
		})
		b := batch.New(batch.Config{Attempts: -1}, rec.handle)
		must(t, b.Add(t.Context(), 1))
		must(t, b.Flush(t.Context()))
		if s := b.Stats(); s.Handled != 1 || s.Retries != 99 {
			t.Errorf("%+v", s)
		}
		must(t, b.Close(t.Context()))
	})
}

func TestBackoffDoesNotOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const century = 1 << 61 // ns; the next but one doubling passes the largest duration
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var waits []time.Duration
		b := batch.New(batch.Config{Backoff: century, MaxBackoff: -1, OnRetry: func(_ error, attempt int, wait time.Duration) {
			if waits = append(waits, wait); attempt == 3 {
				cancel()
			}
		}}, func(context.Context, *batch.Batch[int]) error { return errStore })
		must(t, b.Add(t.Context(), 1))
		if err := b.Close(ctx); err == nil {
			t.Error("Close did not tell what it abandoned")
		}
		wantEqual(t, "waits", waits, []time.Duration{century, 2 * century, 1<<63 - 1})
	})
}

func TestTimeoutOnlyCancels(t *testing.T) {
	for _, tt := range []struct {
		name    string
		timeout time.Duration
		want    time.Duration // 0: no deadline
	}{
		{"default", 0, 30 * time.Second},
		{"set", time.Second, time.Second},
		{"off", -1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := batch.New(batch.Config{Timeout: tt.timeout}, func(ctx context.Context, _ *batch.Batch[int]) error {
					deadline, ok := ctx.Deadline()
					if ok != (tt.want > 0) || ok && time.Until(deadline) != tt.want {
						t.Errorf("deadline in %v, %v", time.Until(deadline), ok)
					}
					if ok {
						<-ctx.Done()
					}
					return nil // it was stored all the same
				})
				must(t, b.Add(t.Context(), 1))
				must(t, b.Flush(t.Context()))
				if s := b.Stats(); s.Handled != 1 || s.Retries != 0 {
					t.Errorf("%+v", s)
				}
				must(t, b.Close(t.Context()))
			})
		})
	}
}

func TestHooksCannotHurt(t *testing.T) {
	for name, misbehave := range map[string]func(){"panic": func() { panic("x") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := batch.New(batch.Config{
					Attempts:  2,
					OnRetry:   func(error, int, time.Duration) { misbehave() },
					OnAbandon: func(error, int) { misbehave() },
				}, func(context.Context, *batch.Batch[int]) error { return errStore })
				must(t, b.Add(t.Context(), 1))
				must(t, b.Flush(t.Context()))
				must(t, b.Close(t.Context()))
				wantLedger(t, b.Stats())
			})
		})
	}
}
