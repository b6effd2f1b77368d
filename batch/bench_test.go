package batch_test

import (
	"context"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// One goroutine, one lane: the cost of each payload that is added with others.
func BenchmarkAddAll(b *testing.B) {
	const together = 240 // a read full of them
	lane, ctx := newBench(b).Lane(1), context.Background()
	payloads := make([][]byte, together)
	for i := range payloads {
		payloads[i] = make([]byte, 128)
	}
	b.ReportAllocs()
	b.SetBytes(128)
	for i := 0; i < b.N; i += together {
		_, _ = lane.AddAll(ctx, payloads, func(i int, item *uint64) { *item = uint64(i) })
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

// BenchmarkAges lets one item in each of 10,000 lanes reach its age: the telemetry of many connections that say
// little.
func BenchmarkAges(b *testing.B) {
	const lanes = 10_000
	var handled sync.WaitGroup
	bb := batch.New(batch.Config{MaxAge: time.Millisecond}, func(context.Context, *batch.Batch[uint64]) error {
		handled.Done()
		return nil
	})
	b.Cleanup(func() { _ = bb.Close(context.Background()) })
	own, payload, ctx := make([]*batch.Lane[uint64], lanes), make([]byte, 128), context.Background()
	for i := range own {
		own[i] = bb.NewLane()
	}
	b.ReportAllocs()
	for b.Loop() {
		handled.Add(lanes)
		for i, lane := range own {
			_ = lane.Add(ctx, uint64(i), payload)
		}
		handled.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*lanes), "ns/lane")
}

// BenchmarkMemory reports what a lane of its own costs: idle, and with one item of 128 bytes that waits.
func BenchmarkMemory(b *testing.B) {
	const lanes = 10_000
	for name, items := range map[string]int{"Idle": 0, "OneItem": 1} {
		b.Run(name, func(b *testing.B) {
			payload, ctx := make([]byte, 128), context.Background()
			for b.Loop() {
				bb := batch.New(batch.Config{MaxAge: time.Hour}, func(context.Context, *batch.Batch[uint64]) error { return nil })
				own := make([]*batch.Lane[uint64], lanes)
				before := heap()
				for i := range own {
					own[i] = bb.NewLane()
					for range items {
						_ = own[i].Add(ctx, 1, payload)
					}
				}
				b.ReportMetric(float64(heap()-before)/lanes, "B/lane")
				runtime.KeepAlive(own)
				_ = bb.Close(ctx)
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
