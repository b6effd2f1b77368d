package ratelimit_test

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/ratelimit"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func ExampleBucket() {
	rate := ratelimit.Rate{PerSecond: 2, Burst: 3}
	var b ratelimit.Bucket
	for range 4 {
		fmt.Println(b.Allow(start, rate))
	}
	fmt.Println(b.RetryAfter(start, rate))
	// Output:
	// true
	// true
	// true
	// false
	// 500ms
}

func TestBucket(t *testing.T) {
	rate := ratelimit.Rate{PerSecond: 10, Burst: 5}
	var b ratelimit.Bucket
	allowed := 0
	for i := range 10_000 { // ten seconds in milliseconds
		if b.Allow(start.Add(time.Duration(i)*time.Millisecond), rate) {
			allowed++
		}
	}
	if allowed < 104 || allowed > 105 {
		t.Errorf("%d in ten seconds, want 5 and 10 a second", allowed)
	}
}

func TestBucketWaitsAsLongAsItSays(t *testing.T) {
	rate := ratelimit.Rate{PerSecond: 3, Burst: 4}
	var b ratelimit.Bucket
	now := start
	if !b.AllowN(now, 4, rate) {
		t.Fatal("a full bucket has less than its burst")
	}
	for n := 1; n <= 4; n++ {
		wait := b.RetryAfterN(now, n, rate)
		early, late := b, b
		if early.AllowN(now.Add(wait-time.Millisecond), n, rate) {
			t.Errorf("%d tokens are there before %v", n, wait)
		}
		if !late.AllowN(now.Add(wait), n, rate) {
			t.Errorf("%d tokens are not there after %v", n, wait)
		}
	}
}

func TestBucketEdges(t *testing.T) {
	forever := time.Duration(math.MaxInt64)
	for name, tc := range map[string]struct {
		rate  ratelimit.Rate
		n     int
		want  bool
		retry time.Duration
	}{
		"more than the burst": {ratelimit.Rate{PerSecond: 1, Burst: 2}, 3, false, forever},
		"no burst":            {ratelimit.Rate{PerSecond: 1}, 1, false, forever},
		"nothing wanted":      {ratelimit.Rate{}, 0, true, 0},
		"not a number":        {ratelimit.Rate{PerSecond: math.NaN(), Burst: 1}, 2, false, forever},
		"infinite":            {ratelimit.Rate{PerSecond: math.Inf(1), Burst: 1}, 1, true, 0},
	} {
		var b ratelimit.Bucket
		if got := b.AllowN(start, tc.n, tc.rate); got != tc.want {
			t.Errorf("%s: allowed is %v", name, got)
		}
		if tc.want {
			continue
		}
		if got := b.RetryAfterN(start, tc.n, tc.rate); got != tc.retry {
			t.Errorf("%s: retry after %v", name, got)
		}
	}
}

func TestBucketWhenTimeRunsBackwards(t *testing.T) {
	rate := ratelimit.Rate{PerSecond: 1, Burst: 1}
	var b ratelimit.Bucket
	b.Allow(start, rate)
	if b.Allow(start.Add(-time.Hour), rate) {
		t.Error("going back refilled the bucket")
	}
	if !b.Allow(start.Add(-time.Hour+time.Second), rate) {
		t.Error("the bucket does not refill after going back")
	}
}

func TestWindow(t *testing.T) {
	rule := ratelimit.Rule{Max: 10, Period: time.Minute}
	var w ratelimit.Window
	var times []time.Time
	for i := range 3600 { // an hour, a try a second
		now := start.Add(time.Duration(i) * time.Second)
		if w.Allow(now, rule) {
			times = append(times, now)
		}
	}
	if n := len(times); n < 500 || n > 610 {
		t.Errorf("%d in an hour, want about 600", n)
	}
	for i := range times { // in no minute twice as many
		if j := i + 2*rule.Max - 1; j < len(times) && times[j].Sub(times[i]) < rule.Period {
			t.Fatalf("%d events between %v and %v", 2*rule.Max, times[i], times[j])
		}
	}
}

func TestWindowWaitsAsLongAsItSays(t *testing.T) {
	rule := ratelimit.Rule{Max: 4, Period: time.Minute}
	var w ratelimit.Window
	now := start
	for i := range 200 {
		now = now.Add(time.Duration(i*7%23) * time.Second)
		if w.Allow(now, rule) {
			continue
		}
		wait := w.RetryAfter(now, rule)
		early, late := w, w
		if wait > time.Millisecond && early.Allow(now.Add(wait-time.Millisecond), rule) {
			t.Errorf("step %d: allowed before %v", i, wait)
		}
		if !late.Allow(now.Add(wait), rule) {
			t.Errorf("step %d: not allowed after %v", i, wait)
		}
	}
	if (&ratelimit.Window{}).Allow(now, ratelimit.Rule{}) {
		t.Error("a rule of nothing allows something")
	}
}

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

func TestHotCallsDoNotAllocate(t *testing.T) {
	rate := ratelimit.Rate{PerSecond: 1, Burst: 1}
	l := ratelimit.NewLimiter[int](ratelimit.Config{Rate: rate})
	l.Allow(start, 1)
	var b ratelimit.Bucket
	for name, f := range map[string]func(){
		"Bucket.Allow":  func() { b.Allow(start, rate) },
		"Limiter.Allow": func() { l.Allow(start, 1) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkBucketAllow(b *testing.B) {
	rate := ratelimit.Rate{PerSecond: 1e9, Burst: 100}
	var bucket ratelimit.Bucket
	now := start
	for b.Loop() {
		now = now.Add(time.Nanosecond)
		bucket.Allow(now, rate)
	}
}

func BenchmarkLimiterAllow(b *testing.B) {
	l := ratelimit.NewLimiter[int](ratelimit.Config{Rate: ratelimit.Rate{PerSecond: 1, Burst: 100}})
	i := 0
	for b.Loop() {
		i++
		l.Allow(start, i%1000)
	}
}
