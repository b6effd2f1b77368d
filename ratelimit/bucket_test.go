package ratelimit_test

import (
	"fmt"
	"math"
	"math/rand/v2"
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

// TestBucketWaitsLongEnough takes rates at which the wait, as a quotient, is rounded down.
func TestBucketWaitsLongEnough(t *testing.T) {
	for _, tc := range []struct {
		rate     ratelimit.Rate
		spent, n int
	}{
		{ratelimit.Rate{PerSecond: 125, Burst: 507}, 496, 477},
		{ratelimit.Rate{PerSecond: math.Inf(1), Burst: 1}, 1, 1},
		{ratelimit.Rate{PerSecond: 1e12, Burst: 1}, 1, 1},
	} {
		var b ratelimit.Bucket
		b.AllowN(start, tc.spent, tc.rate)
		if wait := b.RetryAfterN(start, tc.n, tc.rate); !b.AllowN(start.Add(wait), tc.n, tc.rate) {
			t.Errorf("%+v: not there after %v", tc, wait)
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

// TestBucketCountsNoSpanTwice reads two clocks in turn, as two goroutines do that took the time before they waited for
// each other: one is behind by less than the bucket takes to fill, or by any time when both are monotonic.
func TestBucketCountsNoSpanTwice(t *testing.T) {
	now := time.Now() // with a monotonic clock
	for name, tc := range map[string]struct {
		from   time.Time
		behind time.Duration
	}{
		"by a little":         {start, 500 * time.Millisecond},
		"by the time to fill": {start, time.Second},
		"by an hour":          {now, time.Hour},
	} {
		var b ratelimit.Bucket
		rate := ratelimit.Rate{PerSecond: 10, Burst: 10}
		allowed := 0
		for i := range 1000 { // ten seconds
			at := tc.from.Add(time.Duration(i) * 10 * time.Millisecond)
			for _, reading := range []time.Time{at, at.Add(-tc.behind)} {
				if b.Allow(reading, rate) {
					allowed++
				}
			}
		}
		if allowed < 109 || allowed > 110 {
			t.Errorf("%s: %d in ten seconds, want 10 and 10 a second", name, allowed)
		}
	}
}

// TestBucketGoesOnAfterTheClockWasSetBack finds that it refills again after no longer than it takes to fill.
func TestBucketGoesOnAfterTheClockWasSetBack(t *testing.T) {
	rate := ratelimit.Rate{PerSecond: 1, Burst: 10}
	for _, back := range []time.Duration{time.Second, 9 * time.Second, 11 * time.Second, 24 * time.Hour} {
		var b ratelimit.Bucket
		b.AllowN(start, rate.Burst, rate)
		now := start.Add(-back)
		wait := b.RetryAfter(now, rate)
		if wait < time.Second || wait > 11*time.Second {
			t.Errorf("set back by %v: a token after %v", back, wait)
		}
		if early := b; early.Allow(now.Add(wait-time.Millisecond), rate) {
			t.Errorf("set back by %v: allowed before %v", back, wait)
		}
		if !b.Allow(now.Add(wait), rate) {
			t.Errorf("set back by %v: not allowed after %v", back, wait)
		}
	}
}

// TestBucketNeverGivesMoreThanItHas tries random readings, each after the newest one or up to the time to fill before
// it, against the definition: in any span of time, as the newest readings tell it, no more than the burst and what
// comes in meanwhile.
func TestBucketNeverGivesMoreThanItHas(t *testing.T) {
	for range 200 {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		rate := ratelimit.Rate{PerSecond: math.Exp(r.Float64()*12 - 6), Burst: 1 + r.IntN(20)}
		fill := time.Duration(float64(rate.Burst) / rate.PerSecond * float64(time.Second))
		var b ratelimit.Bucket
		newest, left := start, float64(rate.Burst) // left is the most that the definition allows still
		b.Allow(newest, ratelimit.Rate{})
		for step := range 500 {
			reading := newest.Add(-rand.N(fill))
			if r.IntN(3) > 0 {
				ahead := time.Duration(r.Float64() * float64(fill) / 5)
				newest = newest.Add(ahead)
				reading, left = newest, min(float64(rate.Burst), left+ahead.Seconds()*rate.PerSecond)
			}
			n := 1 + r.IntN(rate.Burst)
			wait := b.RetryAfterN(reading, n, rate)
			if later := b; !later.AllowN(reading.Add(wait), n, rate) {
				t.Fatalf("seed %d, step %d: not allowed after %v", seed, step, wait)
			}
			if !b.AllowN(reading, n, rate) {
				continue
			}
			if left -= float64(n); left < -1e-6 || wait != 0 {
				t.Fatalf("seed %d, step %d: %d tokens with %v too many, although there are %v to wait", seed, step, n, -left, wait)
			}
		}
	}
}
