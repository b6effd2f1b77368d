package batch_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fiberwsx/wsx/batch"
)

func TestMain(m *testing.M) {
	batch.NoJitter()
	goleak.VerifyTestMain(m)
}

var errStore = errors.New("store is down")

// call is what one call of the handler saw.
type call struct {
	at       time.Duration // since the recorder was made
	attempt  int
	items    []int
	payloads []string
	bytes    int
}

// recorder is a handler that keeps copies of what it gets. then, if set, decides the result.
type recorder struct {
	start time.Time
	then  func(ctx context.Context, b *batch.Batch[int]) error

	mu    sync.Mutex
	calls []call
}

func record(then func(ctx context.Context, b *batch.Batch[int]) error) *recorder {
	return &recorder{start: time.Now(), then: then}
}

func (r *recorder) handle(ctx context.Context, b *batch.Batch[int]) error {
	c := call{at: time.Since(r.start), attempt: b.Attempt(), bytes: b.Bytes()}
	for i, item := range b.All() {
		c.items = append(c.items, item)
		c.payloads = append(c.payloads, string(b.Payload(i)))
	}
	r.mu.Lock()
	r.calls = append(r.calls, c)
	r.mu.Unlock()
	if r.then == nil {
		return nil
	}
	return r.then(ctx, b)
}

func (r *recorder) seen() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

// sizes returns the number of items of each call.
func (r *recorder) sizes() []int {
	sizes := []int{}
	for _, c := range r.seen() {
		sizes = append(sizes, len(c.items))
	}
	return sizes
}

// items returns all items in the order of the calls.
func (r *recorder) items() []int {
	var items []int
	for _, c := range r.seen() {
		items = append(items, c.items...)
	}
	return items
}

// times returns when each call was.
func (r *recorder) times() []time.Duration {
	var times []time.Duration
	for _, c := range r.seen() {
		times = append(times, c.at)
	}
	return times
}

func wantEqual[E comparable](t *testing.T, what string, got, want []E) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// try is must for other goroutines than the test's.
func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// upTo returns from, …, to-1.
func upTo(from, to int) []int {
	var s []int
	for i := from; i < to; i++ {
		s = append(s, i)
	}
	return s
}

// wantLedger checks that everything accepted is accounted for.
func wantLedger(t *testing.T, s batch.Stats) {
	t.Helper()
	if s.Accepted != s.Handled+s.DeadLettered+s.Rejected+s.Dropped+s.Abandoned || s.Pending != 0 || s.PendingBytes != 0 {
		t.Errorf("the ledger does not balance: %+v", s)
	}
}
