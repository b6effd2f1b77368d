package batch_test

import (
	"context"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/batch"
)

func TestHandsOverByCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := record(nil)
		b := batch.New(batch.Config{MaxItems: 3}, rec.handle)
		for i := range 7 {
			must(t, b.Add(t.Context(), i))
			synctest.Wait()
		}
		wantEqual(t, "before any age", rec.sizes(), []int{3, 3})
		wantEqual(t, "times", rec.times(), []time.Duration{0, 0})
		must(t, b.Close(t.Context()))
		wantEqual(t, "after Close", rec.sizes(), []int{3, 3, 1})
		wantEqual(t, "order", rec.items(), upTo(0, 7))
		wantLedger(t, b.Stats())
	})
}

func TestHandsOverByBytes(t *testing.T) {
	for _, tt := range []struct {
		name     string
		maxBytes int
		payloads []int // lengths
		want     []int // bytes of each batch handed over before its age
		rest     int   // bytes of the one that waits for its age, -1 for none
	}{
		{"reaching the limit exactly", 10, []int{4, 6, 1}, []int{10}, 1},
		{"the next one would pass it", 10, []int{4, 7, 1}, []int{4}, 8},
		{"one larger than the limit, first", 10, []int{25, 1}, []int{25}, 1},
		{"one larger than the limit, later", 10, []int{3, 25, 1}, []int{3, 25}, 1},
		{"empty payloads weigh nothing", 10, []int{0, 9, 0, 0, 1}, []int{10}, -1},
		{"off", -1, []int{1 << 20, 1 << 20, 1 << 20}, nil, 3 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rec := record(nil)
				b := batch.New(batch.Config{MaxBytes: tt.maxBytes}, rec.handle)
				defer b.Close(context.Background())
				for i, n := range tt.payloads {
					must(t, b.Lane(1).Add(t.Context(), i, make([]byte, n)))
					synctest.Wait()
				}
				wantEqual(t, "bytes at once", bytesOf(rec.seen()), tt.want)
				time.Sleep(time.Second)
				want := tt.want
				if tt.rest >= 0 {
					want = append(want, tt.rest)
				}
				wantEqual(t, "bytes in all", bytesOf(rec.seen()), want)
				wantEqual(t, "items", rec.items(), upTo(0, len(tt.payloads)))
			})
		})
	}
}

func bytesOf(calls []call) []int {
	var n []int
	for _, c := range calls {
		n = append(n, c.bytes)
	}
	return n
}

func TestAgeCountsFromTheFirstItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := record(nil)
		b := batch.New(batch.Config{MaxAge: 100 * time.Millisecond}, rec.handle)
		defer b.Close(context.Background())
		for i := range 5 { // at 0, 90, 180, 270, 360 ms
			must(t, b.Add(t.Context(), i))
			time.Sleep(90 * time.Millisecond)
		}
		time.Sleep(time.Second)
		wantEqual(t, "sizes", rec.sizes(), []int{2, 2, 1})
		wantEqual(t, "times", rec.times(),
			[]time.Duration{100 * time.Millisecond, 280 * time.Millisecond, 460 * time.Millisecond})
	})
}

func TestAgeAfterABatchThatFilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := record(nil)
		b := batch.New(batch.Config{MaxItems: 2, MaxAge: 100 * time.Millisecond}, rec.handle)
		defer b.Close(context.Background())
		must(t, b.Add(t.Context(), 0))
		time.Sleep(60 * time.Millisecond)
		must(t, b.Add(t.Context(), 1)) // full; the timer still stands at 100 ms
		must(t, b.Add(t.Context(), 2)) // due at 160 ms
		time.Sleep(time.Second)
		wantEqual(t, "sizes", rec.sizes(), []int{2, 1})
		wantEqual(t, "times", rec.times(), []time.Duration{60 * time.Millisecond, 160 * time.Millisecond})
	})
}

func TestAgesOfManyLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lanes = 1000
		rec := record(nil)
		b := batch.New(batch.Config{MaxAge: 100 * time.Millisecond}, rec.handle)
		defer b.Close(context.Background())
		added := make([]time.Duration, lanes)
		for i := range lanes {
			added[i] = time.Since(rec.start)
			must(t, b.NewLane().Add(t.Context(), i, nil))
			time.Sleep(170 * time.Microsecond)
		}
		time.Sleep(time.Second)
		calls := rec.seen()
		if len(calls) != lanes {
			t.Fatalf("%d batches, want %d", len(calls), lanes)
		}
		for _, c := range calls {
			age := c.at - added[c.items[0]]
			if age > 100*time.Millisecond || age < 99*time.Millisecond {
				t.Errorf("lane %d was handed over at the age of %v", c.items[0], age)
			}
		}
	})
}

func TestAgeOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := record(nil)
		b := batch.New(batch.Config{MaxAge: -1}, rec.handle)
		must(t, b.Add(t.Context(), 1))
		time.Sleep(time.Hour)
		wantEqual(t, "after an hour", rec.sizes(), []int{})
		must(t, b.Flush(t.Context()))
		wantEqual(t, "after Flush", rec.sizes(), []int{1})
		must(t, b.Close(t.Context()))
	})
}

func TestPayloadsAreCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := record(nil)
		b := batch.New(batch.Config{}, rec.handle)
		buf := make([]byte, 0, 8)
		var want []string
		for i := range 100 {
			buf = append(buf[:0], strings.Repeat(string(rune('a'+i%26)), i%8)...)
			want = append(want, string(buf))
			must(t, b.Lane(7).Add(t.Context(), i, buf))
		}
		must(t, b.Close(t.Context()))
		wantEqual(t, "payloads", rec.seen()[0].payloads, want)
	})
}

func TestPayloadCannotGrowIntoTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := batch.New(batch.Config{}, func(_ context.Context, b *batch.Batch[int]) error {
			_ = append(b.Payload(0), "XXXX"...)
			if got := string(b.Payload(1)); got != "next" {
				t.Errorf("the second payload is %q", got)
			}
			if b.Item(1) != 1 || b.Len() != 2 || b.Bytes() != 9 {
				t.Errorf("item %d, %d items, %d bytes", b.Item(1), b.Len(), b.Bytes())
			}
			return nil
		})
		must(t, b.Lane(0).Add(t.Context(), 0, []byte("first")))
		must(t, b.Lane(0).Add(t.Context(), 1, []byte("next")))
		must(t, b.Close(t.Context()))
	})
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := record(nil)
		b := batch.New(batch.Config{}, rec.handle)
		lane := b.NewLane()
		must(t, lane.Add(t.Context(), 1, []byte("abc")))
		must(t, b.Add(t.Context(), 2))
		if got, want := b.Stats(), (batch.Stats{Accepted: 2, Pending: 2, PendingBytes: 3}); got != want {
			t.Errorf("before: got %+v, want %+v", got, want)
		}
		must(t, b.Flush(t.Context()))
		if got, want := b.Stats(), (batch.Stats{Accepted: 2, Handled: 2, Batches: 2}); got != want {
			t.Errorf("after: got %+v, want %+v", got, want)
		}
		must(t, b.Close(t.Context()))
	})
}

func TestLaneOfAKey(t *testing.T) {
	const lanes = 8
	b := batch.New(batch.Config{Lanes: lanes}, record(nil).handle)
	for name, step := range map[string]uint64{"one by one": 1, "multiples of 64": 64, "multiples of 2^32": 1 << 32} {
		count := map[*batch.Lane[int]]int{}
		for i := range uint64(8000) {
			lane := b.Lane(i * step)
			if lane != b.Lane(i*step) {
				t.Fatalf("%s: key %d has two lanes", name, i*step)
			}
			count[lane]++
		}
		for _, n := range count {
			if len(count) != lanes || n > 2000 {
				t.Errorf("%s: %d lanes, one of them with %d of 8000 keys", name, len(count), n)
			}
		}
	}
	b.Lane(math.MaxUint64)
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	handler := record(nil).handle
	for _, tt := range []struct {
		name string
		cfg  batch.Config
		fn   batch.Func[int]
		want string
	}{
		{"no handler", batch.Config{}, nil, "pass a func"},
		{"no bound", batch.Config{MaxItems: -1}, handler, "MaxItems"},
		{"no lanes", batch.Config{Lanes: -1}, handler, "Lanes"},
		{"a spin", batch.Config{Attempts: -1, Backoff: -1}, handler, "Backoff"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, tt.want) {
					t.Errorf("the panic says %q, want something about %q", text, tt.want)
				}
			}()
			batch.New(tt.cfg, tt.fn)
		})
	}
}
