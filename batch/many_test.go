package batch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/fiberwsx/wsx/batch"
)

// numbered returns n payloads, each with its number as its length, and what adds its number to its item.
func numbered(n int) (payloads [][]byte, itself func(i int, item *int)) {
	for i := range n {
		payloads = append(payloads, make([]byte, i))
	}
	return payloads, func(i int, item *int) { *item += i } // from zero
}

// TestAddAllFillsBatches: as many as fit go into each, by number and by bytes, and every item keeps its payload.
func TestAddAllFillsBatches(t *testing.T) {
	for name, row := range map[string]struct {
		cfg  batch.Config
		want []int
	}{
		"by number": {batch.Config{MaxItems: 4}, []int{4, 4, 2}},
		"by bytes":  {batch.Config{MaxBytes: 9}, []int{4, 2, 1, 1, 1, 1}}, // 0+1+2+3, 4+5, 6, …
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				row.cfg.MaxAge = -1
				rec := record(func(_ context.Context, b *batch.Batch[int]) error {
					for i, item := range b.All() {
						if len(b.Payload(i)) != item {
							t.Errorf("item %d has a payload of %d bytes", item, len(b.Payload(i)))
						}
					}
					return nil
				})
				b := batch.New(row.cfg, rec.handle)
				payloads, itself := numbered(10)
				added, err := b.Lane(0).AddAll(t.Context(), payloads, itself)
				must(t, err)
				wantEqual(t, "added", []int{added}, []int{10})
				must(t, b.Close(t.Context()))
				wantEqual(t, "sizes", rec.sizes(), row.want)
				if s := b.Stats(); s.Accepted != 10 || s.Handled != 10 || s.PendingBytes != 0 {
					t.Errorf("got %+v", s)
				}
			})
		})
	}
}

// TestAddAllWaitsForRoom: what does not fit goes in when there is room, and not at all when the context ends or the
// Batcher closes.
func TestAddAllWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(gate)
		rec := record(open.pass)
		b := batch.New(batch.Config{MaxItems: 2}, rec.handle)
		payloads, itself := numbered(9)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		added, err := b.Lane(0).AddAll(ctx, payloads, itself)
		if added != 4 || !errors.Is(err, context.Canceled) {
			t.Fatalf("with nobody to wait: %d, %v", added, err)
		}
		over := make(chan struct{})
		go func() {
			defer close(over)
			added, err := b.Lane(0).AddAll(context.Background(), payloads[4:], func(i int, item *int) { *item = 4 + i })
			if added != 5 || err != nil {
				t.Errorf("with room: %d, %v", added, err)
			}
		}()
		synctest.Wait()
		if got := b.Stats().Accepted; got != 4 {
			t.Fatalf("a full lane accepted %d", got)
		}
		close(open)
		<-over
		must(t, b.Close(t.Context()))
		if got := rec.items(); !inSequence(got, 9) {
			t.Errorf("handled %v", got)
		}
		if added, err := b.Lane(0).AddAll(t.Context(), payloads, itself); added != 0 || !errors.Is(err, batch.ErrClosed) {
			t.Errorf("after Close: %d, %v", added, err)
		}
	})
}

func inSequence(items []int, n int) bool {
	for i, item := range items {
		if item != i {
			return false
		}
	}
	return len(items) == n
}
