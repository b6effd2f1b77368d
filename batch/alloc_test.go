//go:build !race

package batch_test

import (
	"context"
	"testing"

	"github.com/fiberwsx/wsx/batch"
)

func TestAddAllocatesNothing(t *testing.T) {
	b := batch.New(batch.Config{}, func(context.Context, *batch.Batch[*int]) error { return nil })
	payload, item := make([]byte, 128), new(int)
	for name, lane := range map[string]*batch.Lane[*int]{"shared": b.Lane(1), "own": b.NewLane()} {
		add := func() { must(t, lane.Add(t.Context(), item, payload)) }
		for range 5000 {
			add()
		}
		if n := testing.AllocsPerRun(50_000, add); n != 0 {
			t.Errorf("%s lane: %v allocations an Add", name, n)
		}
	}
	must(t, b.Close(t.Context()))
}

// TestDroppingAllocatesNothing: the oldest of a lane that is full make room from the same memory.
func TestDroppingAllocatesNothing(t *testing.T) {
	release := make(chan struct{})
	b := batch.New(batch.Config{DropOldest: true, MaxItems: 100, Lanes: 1}, func(context.Context, *batch.Batch[*int]) error {
		<-release
		return nil
	})
	payload, item := make([]byte, 128), new(int)
	add := func() { must(t, b.Lane(0).Add(t.Context(), item, payload)) }
	for range 5000 {
		add()
	}
	if n := testing.AllocsPerRun(50_000, add); n != 0 {
		t.Errorf("%v allocations an Add", n)
	}
	if b.Stats().Dropped < 50_000 {
		t.Errorf("nothing was dropped: %+v", b.Stats())
	}
	close(release)
	must(t, b.Close(t.Context()))
}
