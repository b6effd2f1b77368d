package batch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/batch"
)

var errPoison = errors.New("violates a constraint")

// store takes batches as a database does: all or nothing. Some items make it fail.
type store struct {
	poison map[int]bool
	failed func(b *batch.Batch[int]) error // tried first

	mu     sync.Mutex
	stored []int
	calls  int
}

func (s *store) handle(_ context.Context, b *batch.Batch[int]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.failed != nil {
		if err := s.failed(b); err != nil {
			return err
		}
	}
	var items []int
	for i, item := range b.All() {
		if s.poison[item] {
			return errPoison
		}
		if got := string(b.Payload(i)); got != fmt.Sprint(item) {
			return fmt.Errorf("item %d has payload %q", item, got)
		}
		items = append(items, item)
	}
	s.stored = append(s.stored, items...)
	return nil
}

// outcome is what a Batcher has told of its items.
type outcome struct {
	settled  []int
	rejected []batch.Rejected[int]
	letters  [][]int
	letter   func() error // what the dead letter returns
}

func (o *outcome) hooks(withLetter bool) batch.Hooks[int] {
	h := batch.Hooks[int]{Settled: func(b *batch.Batch[int], rejected []batch.Rejected[int]) {
		for _, item := range b.All() {
			o.settled = append(o.settled, item)
		}
		for _, r := range rejected {
			r.Payload = slices.Clone(r.Payload)
			o.rejected = append(o.rejected, r)
		}
	}}
	if withLetter {
		h.DeadLetter = func(_ context.Context, rejected []batch.Rejected[int]) error {
			var items []int
			for _, r := range rejected {
				items = append(items, r.Item)
			}
			o.letters = append(o.letters, items)
			if o.letter != nil {
				return o.letter()
			}
			return nil
		}
	}
	return h
}

func fill(t *testing.T, b *batch.Batcher[int], n int) {
	t.Helper()
	for i := range n {
		must(t, b.Lane(0).Add(t.Context(), i, []byte(fmt.Sprint(i))))
	}
	must(t, b.Flush(t.Context()))
}

// TestPoison: one item in a thousand that the store fails for: the others are stored once each and in their order, and
// it takes few calls to find.
func TestPoison(t *testing.T) {
	for name, poison := range map[string][]int{
		"first": {0}, "last": {999}, "middle": {617}, "neighbours": {499, 500}, "many": {1, 2, 3, 500, 998, 999},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, o := &store{poison: make(map[int]bool)}, new(outcome)
				for _, i := range poison {
					s.poison[i] = true
				}
				b := batch.NewWithHooks(batch.Config{MaxItems: 1000}, s.handle, o.hooks(true))
				fill(t, b, 1000)
				wantEqual(t, "stored", s.stored, slices.DeleteFunc(upTo(0, 1000), func(i int) bool { return s.poison[i] }))
				wantEqual(t, "settled", o.settled, upTo(0, 1000))
				wantEqual(t, "dead letters", slices.Concat(o.letters...), poison)
				for i, r := range o.rejected {
					if r.Index != poison[i] || r.Cause != batch.Poison || !errors.Is(r.Err, errPoison) || string(r.Payload) != fmt.Sprint(poison[i]) {
						t.Errorf("rejected %+v", r)
					}
				}
				if most := 8 + 2*10*len(poison); s.calls > most {
					t.Errorf("%d calls, want %d at most", s.calls, most)
				}
				if got := b.Stats(); got.Handled != uint64(1000-len(poison)) || got.DeadLettered != uint64(len(poison)) {
					t.Errorf("%+v", got)
				}
				must(t, b.Close(t.Context()))
				wantLedger(t, b.Stats())
			})
		})
	}
}

// TestReject: what the handler rejects is settled with the others, when it returns nil, and not before.
func TestReject(t *testing.T) {
	for _, withLetter := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			o, calls := new(outcome), 0
			b := batch.NewWithHooks(batch.Config{MaxItems: 10}, func(_ context.Context, b *batch.Batch[int]) error {
				if calls++; calls == 1 {
					b.Reject(0, nil) // forgotten with the attempt
					return errStore
				}
				b.Reject(7, errors.New("first reason"))
				b.Reject(2, nil)
				b.Reject(7, errPoison)
				var told []int
				for i := range b.Rejected() {
					told = append(told, i)
				}
				wantEqual(t, "rejected so far", told, []int{7, 2})
				return nil
			}, o.hooks(withLetter))
			fill(t, b, 10)
			if len(o.rejected) != 2 || o.rejected[0].Index != 2 || o.rejected[1].Index != 7 || o.rejected[1].Err != errPoison ||
				o.rejected[0].Cause != batch.ByHandler {
				t.Errorf("rejected %+v", o.rejected)
			}
			want := batch.Stats{Accepted: 10, Handled: 8, Batches: 1, Retries: 1, Rejected: 2}
			if withLetter {
				want.Rejected, want.DeadLettered = 0, 2
			}
			if got := b.Stats(); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			must(t, b.Close(t.Context()))
		})
	}
}

func TestRejectOutOfRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := batch.New(batch.Config{Attempts: 1}, func(_ context.Context, b *batch.Batch[int]) error {
			b.Reject(b.Len(), nil)
			return nil
		})
		must(t, b.Add(t.Context(), 1))
		must(t, b.Flush(t.Context()))
		if s := b.Stats(); s.Rejected != 1 { // a panic is a failure
			t.Errorf("%+v", s)
		}
		must(t, b.Close(t.Context()))
	})
}

// TestDeadLetterFails: it is tried as often as the handler; then the items count as rejected.
func TestDeadLetterFails(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errStore }, "panic": func() error { panic("x") },
		"Goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, o := &store{poison: map[int]bool{3: true}}, &outcome{letter: fail}
				b := batch.NewWithHooks(batch.Config{MaxItems: 10, Attempts: 3}, s.handle, o.hooks(true))
				fill(t, b, 10)
				if got := b.Stats(); got.Rejected != 1 || got.Handled != 9 || len(o.letters) != 3 {
					t.Errorf("%d letters, %+v", len(o.letters), got)
				}
				wantEqual(t, "settled", o.settled, upTo(0, 10))
				must(t, b.Close(t.Context()))
			})
		})
	}
}

// TestHold: the item stays until the store takes it, and what is behind it waits.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		repaired := time.Now().Add(time.Hour)
		s := &store{failed: func(b *batch.Batch[int]) error {
			for _, item := range b.All() {
				if item == 5 && time.Now().Before(repaired) {
					return errPoison
				}
			}
			return nil
		}}
		o := new(outcome)
		b := batch.NewWithHooks(batch.Config{MaxItems: 10, OnPoison: batch.Hold}, s.handle, o.hooks(false))
		fill(t, b, 10)
		wantEqual(t, "stored", s.stored, upTo(0, 10))
		if time.Now().Before(repaired) || len(o.rejected) != 0 {
			t.Errorf("settled too early: %+v", o.rejected)
		}
		must(t, b.Close(t.Context()))
	})
}

// TestHoldEndsWithClose: what is held then is given up, and told; also what is held for a dead letter that fails.
func TestHoldEndsWithClose(t *testing.T) {
	for _, withLetter := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, o := &store{poison: map[int]bool{5: true}}, &outcome{letter: func() error { return errStore }}
			b := batch.NewWithHooks(batch.Config{MaxItems: 10, OnPoison: batch.Hold}, s.handle, o.hooks(withLetter))
			for i := range 10 {
				must(t, b.Lane(0).Add(t.Context(), i, []byte(fmt.Sprint(i))))
			}
			time.Sleep(time.Minute)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var lost *batch.AbandonedError
			if err := b.Close(ctx); !errors.As(err, &lost) || lost.Items != 5 {
				t.Errorf("got %v, want 5 items given up", err)
			}
			wantEqual(t, "stored", s.stored, upTo(0, 5))
			var given []int
			for _, r := range o.rejected {
				if r.Cause == batch.GivenUp {
					given = append(given, r.Item)
				}
			}
			wantEqual(t, "given up", given, upTo(5, 10))
			wantLedger(t, b.Stats())
		})
	}
}

// unavailable are the ways in which a handler fails that has a store which takes nothing.
var unavailable = map[string]func(context.Context) error{
	"it hangs":   func(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("insert: %w", ctx.Err()) },
	"it says so": func(context.Context) error { return fmt.Errorf("insert: %w", batch.ErrUnavailable) },
}

// TestUnavailableStore: a store that takes nothing is not asked for each item.
func TestUnavailableStore(t *testing.T) {
	for name, fail := range unavailable {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, calls, lost := new(outcome), 0, 0
				b := batch.NewWithHooks(batch.Config{
					MaxItems: 500, Attempts: 3, Timeout: time.Second, OnAbandon: func(_ error, items int) { lost += items },
				}, func(ctx context.Context, _ *batch.Batch[int]) error {
					calls++
					return fail(ctx)
				}, o.hooks(true))
				fill(t, b, 500)
				if calls != 3 || lost != 500 || len(o.letters) != 0 || len(o.rejected) != 500 || o.rejected[0].Cause != batch.GivenUp {
					t.Errorf("%d calls, %d lost, %d letters, %d rejected", calls, lost, len(o.letters), len(o.rejected))
				}
				must(t, b.Close(t.Context()))
				wantLedger(t, b.Stats())
			})
		})
	}
}

// TestEveryItemIsSettledOnce under random failures, rejections and dead letters: each item is told once, with what has
// become of it, and the handler's view agrees.
func TestEveryItemIsSettledOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const items = 5000
		fate := make([]string, items) // by the handler and the dead letter
		told := make([]int, items)
		b := batch.NewWithHooks(batch.Config{MaxItems: 37, Lanes: 1, Attempts: 2}, func(_ context.Context, b *batch.Batch[int]) error {
			if rand.IntN(3) == 0 {
				return errStore
			}
			for _, item := range b.All() {
				if item%101 == 0 {
					return errPoison
				}
			}
			for i, item := range b.All() {
				if item%50 == 1 {
					b.Reject(i, nil)
				} else {
					fate[item] += "handled"
				}
			}
			return nil
		}, batch.Hooks[int]{
			DeadLetter: func(_ context.Context, rejected []batch.Rejected[int]) error {
				if rand.IntN(2) == 0 {
					return errStore
				}
				for _, r := range rejected {
					fate[r.Item] += "lettered"
				}
				return nil
			},
			Settled: func(b *batch.Batch[int], rejected []batch.Rejected[int]) {
				next := 0
				for i, item := range b.All() {
					want := "handled"
					if next < len(rejected) && rejected[next].Index == i {
						if want = ""; rejected[next].Delivered {
							want = "lettered"
						}
						next++
					}
					if fate[item] != want {
						t.Errorf("item %d: told %q, was %q", item, want, fate[item])
					}
					told[item]++
				}
			},
		})
		for i := range items {
			must(t, b.Lane(0).Add(t.Context(), i, nil))
		}
		must(t, b.Close(t.Context()))
		for i, n := range told {
			if n != 1 {
				t.Errorf("item %d was told %d times", i, n)
			}
		}
		wantLedger(t, b.Stats())
	})
}

// TestHoldForAnUnavailableStore: it is asked again, for all at once, until it answers.
func TestHoldForAnUnavailableStore(t *testing.T) {
	for name, fail := range unavailable {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, calls := new(outcome), 0
				b := batch.NewWithHooks(batch.Config{MaxItems: 3, Attempts: 2, Timeout: time.Second, OnPoison: batch.Hold},
					func(ctx context.Context, b *batch.Batch[int]) error {
						if b.Len() != 3 {
							t.Errorf("call %d has %d items", calls, b.Len())
						}
						if calls++; calls < 10 {
							return fail(ctx)
						}
						return nil
					}, o.hooks(false))
				fill(t, b, 3)
				if s := b.Stats(); s.Handled != 3 || s.Batches != 1 || len(o.rejected) != 0 {
					t.Errorf("%+v, %d rejected", s, len(o.rejected))
				}
				must(t, b.Close(t.Context()))
			})
		})
	}
}
