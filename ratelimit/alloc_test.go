//go:build !race

package ratelimit_test

import (
	"testing"
	"time"

	"github.com/fiberwsx/wsx/ratelimit"
)

func TestHotCallsDoNotAllocate(t *testing.T) {
	rate := ratelimit.Rate{PerSecond: 1, Burst: 1}
	rule := ratelimit.Rule{Max: 10, Period: time.Second}
	known := ratelimit.NewLimiter[string](ratelimit.Config{Rate: rate})
	known.Allow(start, "known")
	full := ratelimit.NewLimiter[int](ratelimit.Config{Rate: rate, MaxKeys: 100})
	for key := range 1000 { // the map, too, has seen enough
		full.Allow(start, key)
	}
	var b ratelimit.Bucket
	var w ratelimit.Window
	i := 0
	for name, f := range map[string]func(){
		"Bucket.Allow":                      func() { b.Allow(start, rate) },
		"Bucket.RetryAfter":                 func() { b.RetryAfter(start, rate) },
		"Window.Allow":                      func() { i++; w.Allow(start.Add(time.Duration(i)*time.Millisecond), rule) },
		"Window.RetryAfter":                 func() { w.RetryAfter(start, rule) },
		"Limiter.Allow of a known key":      func() { known.Allow(start, "known") },
		"Limiter.Allow in place of another": func() { i++; full.Allow(start, 1000+i) },
	} {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
