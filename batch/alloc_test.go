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
