package hub_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
)

var errStore = errors.New("store is down")

// TestBatchRetries has the handler fail in every way: the batch comes again, the same one, 100 ms later and then
// after twice the pause.
func TestBatchRetries(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error":  func() error { return errStore },
		"panic":  func() error { panic(marker) },
		"Goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var reported list[error]
				var attempts list[string]
				var times list[time.Duration]
				start := time.Now()
				h := newHub(t, hub.Config{
					Batch: batch.Config{MaxItems: 2},
					OnBatch: func(_ context.Context, b *hub.Batch) error {
						attempts.add(fmt.Sprint(b.Attempt(), items(b)))
						times.add(time.Since(start))
						if b.Attempt() < 4 {
							return fail()
						}
						return nil
					},
					OnError: func(_ *hub.Conn, err error) { reported.add(err) },
				})
				s := connectAs(t, h, "a")
				s.SendText("0")
				s.SendText("1")
				time.Sleep(time.Minute)
				want(t, "attempts", strings.Join(attempts.all(), ", "),
					"1 [a:0 a:1], 2 [a:0 a:1], 3 [a:0 a:1], 4 [a:0 a:1]")
				wantPauses(t, times.all(), 0, 100, 200, 400)
				want(t, "reported", len(reported.all()), 0)
				want(t, "state", s.handle.State(), hub.StateOpen)
				stats := h.Stats()
				want(t, "handled", stats.BatchHandled, 2)
				want(t, "batches", stats.Batches, 1)
				want(t, "retries", stats.BatchRetries, 3)
			})
		})
	}
}

// wantPauses checks that the pauses before the attempts, some part of the longest ones in milliseconds, are not longer.
func wantPauses(t *testing.T, attempts []time.Duration, longest ...int) {
	t.Helper()
	if len(attempts) != len(longest) {
		t.Fatalf("attempts after %v, want %d", attempts, len(longest))
	}
	for i := range longest[1:] {
		if pause := attempts[i+1] - attempts[i]; pause > time.Duration(longest[i+1])*time.Millisecond {
			t.Errorf("%v before attempt %d, want %d ms at most", pause, i+2, longest[i+1])
		}
	}
}

// TestPoisonousBatch has a handler that never succeeds: eight attempts, then one for each part down to a single
// message, and everybody is told.
func TestPoisonousBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		var reported list[error]
		var attempts list[time.Duration]
		start := time.Now()
		h := newHub(t, hub.Config{
			Logger: book.logger(),
			Batch:  batch.Config{MaxItems: 3},
			OnBatch: func(context.Context, *hub.Batch) error {
				attempts.add(time.Since(start))
				return errStore
			},
			OnError: func(c *hub.Conn, err error) {
				want(t, "connection given to OnError", c, nil)
				reported.add(err)
			},
		})
		s := connectAs(t, h, "a")
		for range 3 {
			s.SendText(marker + "-payload")
		}
		time.Sleep(time.Minute)
		wantPauses(t, attempts.all(), 0, 100, 200, 400, 800, 1600, 3200, 5000, 0, 0, 0, 0)
		if got := reported.all(); len(got) != 1 || !errors.Is(got[0], errStore) {
			t.Fatalf("OnError got %v", got)
		}
		var rejected *batch.RejectedError
		if !errors.As(reported.all()[0], &rejected) || rejected.Items != 3 {
			t.Errorf("OnError got %#v", reported.all()[0])
		}
		want(t, "rejected", h.Stats().Rejected, 3)
		want(t, "pending", h.Stats().BatchPending, 0)
		if !strings.Contains(book.String(), "websocket messages rejected") || strings.Contains(book.String(), marker) {
			t.Errorf("log: %s", book.String())
		}
		s.live()
		must(t, h.Shutdown(context.Background()))
	})
}

// TestCrashOfOnErrorAfterAbandon leaves the lane in order.
func TestCrashOfOnErrorAfterAbandon(t *testing.T) {
	for name, crash := range map[string]func(){"panic": func() { panic("x") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := newStore(func(_ context.Context, b *hub.Batch) error {
					if items(b)[0] == "a:bad" {
						return errStore
					}
					return nil
				})
				h := newHub(t, hub.Config{
					OnBatch: st.handle, Batch: batch.Config{MaxItems: 1, Attempts: 1},
					OnError: func(*hub.Conn, error) { crash() },
				})
				s := connectAs(t, h, "a")
				s.SendText("bad")
				s.SendText("good")
				time.Sleep(time.Second)
				want(t, "stored", fmt.Sprint(st.of("a")), "[good]")
			})
		})
	}
}

// TestFullBatcherStopsReading blocks the handler: the client's writes block too, and nothing is lost.
func TestFullBatcherStopsReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		release := make(chan struct{})
		st := newStore(func(context.Context, *hub.Batch) error { <-release; return nil })
		h := newHub(t, hub.Config{OnBatch: st.handle, Batch: batch.Config{MaxItems: 10}})
		s := connectAs(t, h, "a")
		var sent atomic.Int64
		written := make(chan struct{})
		go func() {
			defer close(written)
			for i := range n {
				if err := s.Frame(true, wireText, fmt.Append(nil, i)); err != nil {
					t.Errorf("message %d: %v", i, err)
					return
				}
				sent.Add(1)
			}
		}()
		time.Sleep(time.Hour)
		if n := sent.Load(); n != 21 { // one batch in flight, one full, one message in hand
			t.Errorf("%d messages were read while the handler was blocked", n)
		}
		want(t, "state", s.handle.State(), hub.StateOpen)
		close(release)
		<-written
		time.Sleep(time.Second)
		got := st.of("a")
		want(t, "stored", len(got), n)
		for i, v := range got {
			if v != fmt.Sprint(i) {
				t.Fatalf("message %d is %s", i, v)
			}
		}
	})
}

// TestOrderThroughRetries has a handler that fails at random, and connections that come back: each subject's messages
// are stored in order, each once.
func TestOrderThroughRetries(t *testing.T) {
	for _, per := range []hub.BatchPer{hub.Shared, hub.PerConn} {
		synctest.Test(t, func(t *testing.T) {
			st := newStore(func(context.Context, *hub.Batch) error {
				if rand.N(3) == 0 {
					return errStore
				}
				return nil
			})
			h := newHub(t, hub.Config{
				OnBatch: st.handle, BatchPer: per,
				Batch: batch.Config{MaxItems: 7, Attempts: -1, Backoff: time.Millisecond, MaxBackoff: 4 * time.Millisecond},
			})
			var wg sync.WaitGroup
			for i := range 6 {
				wg.Go(func() {
					subject := fmt.Sprint("device", i)
					s := connectAs(t, h, subject)
					for n := range 200 {
						if per == hub.Shared && n%50 == 49 {
							_ = s.Conn().Close()
							<-s.over
							s = connectAs(t, h, subject)
						}
						s.SendText(fmt.Sprint(n))
						s.sync()
					}
				})
			}
			wg.Wait()
			for h.Stats().BatchPending > 0 {
				time.Sleep(time.Second)
			}
			for i := range 6 {
				got := st.of(fmt.Sprint("device", i))
				want(t, "stored", len(got), 200)
				for n, v := range got {
					if v != fmt.Sprint(n) {
						t.Fatalf("device %d: message %d is %s", i, n, v)
					}
				}
			}
		})
	}
}
