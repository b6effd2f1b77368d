package ratelimit_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/ratelimit"
)

func TestLimiterForgetsWhoWasSeenLongestAgo(t *testing.T) {
	l := ratelimit.NewLimiter[string](ratelimit.Config{Rate: ratelimit.Rate{PerSecond: 1, Burst: 1}, MaxKeys: 2})
	for _, key := range []string{"a", "b", "a", "c"} { // c takes the place of b
		l.Allow(start, key)
	}
	if ok, retry := l.Allow(start, "a"); ok || retry != time.Second {
		t.Errorf("a: %v, %v", ok, retry)
	}
	if ok, _ := l.Allow(start, "b"); !ok {
		t.Error("b is still remembered")
	}
	if l.Len() != 2 {
		t.Errorf("%d keys", l.Len())
	}
}

func TestAMillionKeysStayInBoundedMemory(t *testing.T) {
	l := ratelimit.NewLimiter[uint64](ratelimit.Config{Rate: ratelimit.Rate{PerSecond: 1, Burst: 1}})
	before := heap()
	for i := range uint64(1_000_000) {
		l.Allow(start, i)
	}
	if l.Len() != ratelimit.DefaultMaxKeys {
		t.Errorf("%d keys", l.Len())
	}
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("heap grew by %d MiB", grown>>20)
	}
	runtime.KeepAlive(l)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestLimiterIsExactUnderRaces(t *testing.T) {
	l := ratelimit.NewLimiter[int](ratelimit.Config{Rate: ratelimit.Rate{PerSecond: 1, Burst: 100}})
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if ok, _ := l.Allow(start, 1); ok {
					allowed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if allowed.Load() != 100 {
		t.Errorf("%d allowed, want 100", allowed.Load())
	}
}
