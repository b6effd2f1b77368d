package batch_test

import (
	"bytes"
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/fiberwsx/wsx/batch"
)

func TestIdleHoldsNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(gate)
		b := batch.New(batch.Config{}, record(open.pass).handle)
		lane := b.NewLane()
		for i := range 700 {
			must(t, lane.Add(t.Context(), i, nil))
		}
		synctest.Wait()
		if !running() {
			t.Fatal("no runner in sight while a batch is in flight: this test sees nothing")
		}
		close(open)
		time.Sleep(time.Second)
		synctest.Wait()
		if s := b.Stats(); s.Pending != 0 || running() {
			t.Errorf("not idle: %+v, a goroutine of the package runs: %v", s, running())
		}
	})
}

// running reports whether a goroutine of this bubble was started by the package.
func running() bool {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for one := range bytes.SplitSeq(stacks, []byte("\n\n")) {
		if bytes.Contains(one, []byte("synctest bubble")) &&
			bytes.Contains(one, []byte("created by github.com/fiberwsx/wsx/batch.")) {
			return true
		}
	}
	return false
}

func TestEmptyLaneIsGarbage(t *testing.T) {
	b := batch.New(batch.Config{}, record(nil).handle)
	lane := b.NewLane()
	must(t, lane.Add(t.Context(), 1, []byte("x")))
	must(t, lane.Flush(t.Context()))
	gone := weak.Make(lane)
	runtime.KeepAlive(lane)
	deadline := time.Now().Add(10 * time.Second)
	for gone.Value() != nil {
		if time.Now().After(deadline) {
			t.Fatal("a dropped lane is still held")
		}
		runtime.GC()
		runtime.Gosched()
	}
	must(t, b.Close(t.Context()))
}

// The pooled buffers must not keep a connection alive that an item points to.
func TestHandledItemsAreGarbage(t *testing.T) {
	b := batch.New(batch.Config{}, func(context.Context, *batch.Batch[*[64]byte]) error { return nil })
	gone := make([]weak.Pointer[[64]byte], 20) // more than the rows that a batch begins with
	for i := range gone {
		item := new([64]byte)
		gone[i] = weak.Make(item)
		must(t, b.Add(t.Context(), item))
	}
	must(t, b.Flush(t.Context()))
	runtime.GC() // one cycle: a second one would empty the pools too
	for i, p := range gone {
		if p.Value() != nil {
			t.Fatalf("item %d is still held", i)
		}
	}
	must(t, b.Close(t.Context()))
}
