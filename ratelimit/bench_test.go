package ratelimit_test

import (
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/ratelimit"
)

func BenchmarkBucketAllow(b *testing.B) {
	rate := ratelimit.Rate{PerSecond: 1e9, Burst: 100}
	var bucket ratelimit.Bucket
	now := start
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Nanosecond)
		bucket.Allow(now, rate)
	}
}

func BenchmarkBucketRefuse(b *testing.B) {
	rate := ratelimit.Rate{PerSecond: 1, Burst: 1}
	var bucket ratelimit.Bucket
	b.ReportAllocs()
	for b.Loop() {
		if !bucket.Allow(start, rate) {
			bucket.RetryAfter(start, rate)
		}
	}
}

func BenchmarkWindowAllow(b *testing.B) {
	rule := ratelimit.Rule{Max: 1000, Period: time.Millisecond}
	var window ratelimit.Window
	now := start
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Microsecond)
		window.Allow(now, rule)
	}
}

// One key over and over, and keys in turn: a thousand, as many as are remembered, and always a new one.
func BenchmarkLimiterAllow(b *testing.B) {
	for _, keys := range []int{1, 1000, ratelimit.DefaultMaxKeys, 1 << 30} {
		b.Run(strconv.Itoa(keys), func(b *testing.B) {
			l := newLimiter()
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i++
				l.Allow(start, i%keys)
			}
		})
	}
}

// All processors: one key, and each its own thousand.
func BenchmarkLimiterAllowParallel(b *testing.B) {
	for _, keys := range []int{1, 1000} {
		b.Run(strconv.Itoa(keys), func(b *testing.B) {
			l := newLimiter()
			var next atomic.Int64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				base, i := int(next.Add(1))*keys, 0
				for pb.Next() {
					i++
					l.Allow(start, base+i%keys)
				}
			})
		})
	}
}

// BenchmarkLimiterMemory reports what a key costs, itself included: 8 bytes here, twice.
func BenchmarkLimiterMemory(b *testing.B) {
	for b.Loop() {
		before := heap()
		l := newLimiter()
		for i := range ratelimit.DefaultMaxKeys {
			l.Allow(start, i)
		}
		b.ReportMetric(float64(heap()-before)/ratelimit.DefaultMaxKeys, "B/key")
		runtime.KeepAlive(l)
	}
}

func newLimiter() *ratelimit.Limiter[int] {
	return ratelimit.NewLimiter[int](ratelimit.Config{Rate: ratelimit.Rate{PerSecond: 1e9, Burst: 100}})
}
