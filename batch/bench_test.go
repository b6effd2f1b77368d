package batch_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/fiberwsx/wsx/batch"
)

func newBench(b *testing.B) *batch.Batcher[uint64] {
	bb := batch.New(batch.Config{}, func(_ context.Context, b *batch.Batch[uint64]) error { return nil })
	b.Cleanup(func() {
		if err := bb.Close(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return bb
}

// One goroutine, one lane: the cost of an Add, its share of the handover included.
func BenchmarkAdd(b *testing.B) {
	for _, size := range []int{0, 128, 4096} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			lane, payload, ctx := newBench(b).Lane(1), make([]byte, size), context.Background()
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				_ = lane.Add(ctx, 1, payload)
			}
		})
	}
}

// All processors, by key over the shared lanes.
func BenchmarkAddParallelShared(b *testing.B) {
	benchParallel(b, func(bb *batch.Batcher[uint64], g uint64) *batch.Lane[uint64] { return bb.Lane(g) })
}

// All processors, one lane: the worst case of contention.
func BenchmarkAddParallelOneLane(b *testing.B) {
	benchParallel(b, func(bb *batch.Batcher[uint64], _ uint64) *batch.Lane[uint64] { return bb.Lane(0) })
}

// All processors, each with a lane of its own.
func BenchmarkAddParallelOwn(b *testing.B) {
	benchParallel(b, func(bb *batch.Batcher[uint64], _ uint64) *batch.Lane[uint64] { return bb.NewLane() })
}

func benchParallel(b *testing.B, pick func(*batch.Batcher[uint64], uint64) *batch.Lane[uint64]) {
	bb, payload, ctx := newBench(b), make([]byte, 128), context.Background()
	var next atomic.Uint64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		g := next.Add(1)
		lane := pick(bb, g)
		for pb.Next() {
			_ = lane.Add(ctx, g, payload)
		}
	})
}

// The trickle of one connection: one item, handed over alone.
func BenchmarkAddFlush(b *testing.B) {
	lane, payload, ctx := newBench(b).NewLane(), make([]byte, 128), context.Background()
	b.ReportAllocs()
	for b.Loop() {
		_ = lane.Add(ctx, 1, payload)
		_ = lane.Flush(ctx)
	}
}
