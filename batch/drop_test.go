package batch_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fiberwsx/wsx/batch"
)

// waiting is a Batcher whose handler has its first batch, of one item, and keeps it until released.
type waiting struct {
	*batch.Batcher[int]
	rec     *recorder
	release chan struct{}
	dropped int // as the hook is told
	bytes   int
}

func newWaiting(t *testing.T, cfg batch.Config) *waiting {
	w := &waiting{release: make(chan struct{})}
	w.rec = record(func(context.Context, *batch.Batch[int]) error { <-w.release; return nil })
	w.Batcher = batch.NewWithHooks(cfg, w.rec.handle, batch.Hooks[int]{Dropped: func(items, bytes int) {
		w.dropped += items
		w.bytes += bytes
	}})
	must(t, w.Add(t.Context(), -1))
	_ = w.Flush(canceled())
	synctest.Wait()
	return w
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// finish lets the handler go on and returns what it got then.
func (w *waiting) finish(t *testing.T) (items []int, payloads []string) {
	t.Helper()
	close(w.release)
	must(t, w.Close(t.Context()))
	wantLedger(t, w.Stats())
	for _, c := range w.rec.seen()[1:] {
		items, payloads = append(items, c.items...), append(payloads, c.payloads...)
	}
	if s := w.Stats(); s.Dropped != uint64(w.dropped) {
		t.Errorf("the hook was told of %d dropped items: %+v", w.dropped, s)
	}
	return items, payloads
}

// TestDropOldest: what does not fit takes the place of the oldest that wait, and never of what the handler has.
func TestDropOldest(t *testing.T) {
	for name, row := range map[string]struct {
		cfg   batch.Config
		sizes []int
		want  []int
	}{
		"count":          {batch.Config{MaxItems: 3}, []int{1, 1, 1, 1, 1, 1, 1}, []int{4, 5, 6}},
		"bytes":          {batch.Config{MaxBytes: 10}, []int{4, 4, 2, 1, 4}, []int{2, 3, 4}},
		"one for many":   {batch.Config{MaxBytes: 10}, []int{2, 2, 2, 2, 2, 9}, []int{5}},
		"over the limit": {batch.Config{MaxBytes: 10}, []int{2, 2, 30, 1}, []int{3}},
		"all fit":        {batch.Config{MaxItems: 3}, []int{0, 0, 0}, []int{0, 1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				row.cfg.DropOldest, row.cfg.Lanes = true, 1
				one, many := newWaiting(t, row.cfg), newWaiting(t, row.cfg)
				var all [][]byte
				for i, size := range row.sizes {
					p := []byte(strings.Repeat(fmt.Sprint(i), size))
					must(t, one.Lane(0).Add(t.Context(), i, p))
					all = append(all, p)
				}
				added, err := many.Lane(0).AddAll(t.Context(), all, func(i int, item *int) { *item = i })
				must(t, err)
				wantEqual(t, "added", []int{added}, []int{len(all)})
				for _, w := range []*waiting{one, many} {
					items, payloads := w.finish(t)
					wantEqual(t, "handled", items, row.want)
					for i, p := range payloads {
						if p != string(all[items[i]]) {
							t.Errorf("item %d has payload %q", items[i], p)
						}
					}
					wantEqual(t, "dropped", []int{w.dropped}, []int{len(all) - len(items)})
				}
			})
		})
	}
}

// TestDropOldestForLong drops again and again, so that what is kept is moved about, and compares it with a plain queue.
func TestDropOldestForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const maxItems, maxBytes = 40, 3000
		w := newWaiting(t, batch.Config{MaxItems: maxItems, MaxBytes: maxBytes, DropOldest: true, Lanes: 1})
		var queue []string
		bytes, lost := 0, 0
		for i := range 5000 {
			p := strings.Repeat(string(rune('a'+i%26)), rand.IntN(200))
			for len(queue) == maxItems || len(queue) > 0 && bytes+len(p) > maxBytes {
				bytes -= len(queue[0])
				lost += len(queue[0])
				queue = queue[1:]
			}
			queue, bytes = append(queue, p), bytes+len(p)
			must(t, w.Lane(0).Add(t.Context(), i, []byte(p)))
		}
		_, payloads := w.finish(t)
		wantEqual(t, "payloads", payloads, queue)
		wantEqual(t, "dropped bytes", []int{w.bytes}, []int{lost})
	})
}

// TestShed drops the oldest that wait, up to the newest.
func TestShed(t *testing.T) {
	for _, row := range []struct{ items, bytes, left int }{{0, 0, 5}, {2, 0, 3}, {0, 5, 3}, {1, 6, 3}, {4, 0, 1}, {50, 0, 1}, {0, 500, 1}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWaiting(t, batch.Config{Lanes: 1})
			w.Lane(0).Shed(1, 1) // nothing waits
			for i := range 5 {
				must(t, w.Lane(0).Add(t.Context(), i, []byte("abc")))
			}
			w.Lane(0).Shed(row.items, row.bytes)
			items, _ := w.finish(t)
			wantEqual(t, "handled", items, upTo(5-row.left, 5))
		})
	}
}
