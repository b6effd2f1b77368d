package ratelimit_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/ratelimit"
)

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

// TestWindowOfEvenEvents finds that whoever keeps to the rule is never refused.
func TestWindowOfEvenEvents(t *testing.T) {
	for _, tc := range []struct {
		max   int
		every time.Duration
	}{
		{1, time.Minute}, // sixty an hour
		{1, 61 * time.Second},
		{1, 119 * time.Second},
		{2, 30 * time.Second},
		{10, 6 * time.Second},
		{10, 6500 * time.Millisecond},
		{7, time.Minute/7 + 1},
		{1000, 60 * time.Millisecond},
	} {
		rule := ratelimit.Rule{Max: tc.max, Period: time.Minute}
		var w ratelimit.Window
		for i := range 3 * tc.max * 20 {
			if !w.Allow(start.Add(time.Duration(i)*tc.every), rule) {
				t.Errorf("%d a minute, one each %v: number %d is refused", tc.max, tc.every, i)
				break
			}
		}
	}
}

// TestWindowOfEagerTries finds that whoever tries all the time gets what the rule says.
func TestWindowOfEagerTries(t *testing.T) {
	const periods = 50
	for _, limit := range []int{1, 2, 3, 10, 99} {
		rule := ratelimit.Rule{Max: limit, Period: time.Minute}
		var w ratelimit.Window
		got := 0
		for i := range periods * 600 { // ten tries a second
			if w.Allow(start.Add(time.Duration(i)*100*time.Millisecond), rule) {
				got++
			}
		}
		if got < limit*periods*99/100 || got > limit*(periods+1) {
			t.Errorf("%d a minute: %d in %d minutes", limit, got, periods)
		}
	}
}

func TestWindowOfALongPeriod(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, period := range []time.Duration{100 * year, 147 * year, 292 * year, math.MaxInt64} {
		rule := ratelimit.Rule{Max: 2, Period: period}
		var w ratelimit.Window
		for i := range 10 {
			if got := w.Allow(start.Add(time.Duration(i)*year), rule); got != (i < rule.Max) {
				t.Errorf("%v: try %d is %v", period, i, got)
			}
		}
		now := start.Add(10 * year)
		if wait := w.RetryAfter(now, rule); wait != period-10*year {
			t.Errorf("%v: retry after %v", period, wait)
		}
		if next := start.Add(period); !w.Allow(next, rule) || w.Allow(next, rule) {
			t.Errorf("%v: not one at the beginning of the next period", period)
		}
	}
}

// TestWindowAtTheZeroTime lets the clock of a simulation begin at the zero time.
func TestWindowAtTheZeroTime(t *testing.T) {
	rule := ratelimit.Rule{Max: 2, Period: time.Minute}
	var w ratelimit.Window
	for i := range 5 {
		if got := w.Allow(time.Time{}, rule); got != (i < rule.Max) {
			t.Errorf("try %d is %v", i, got)
		}
	}
}

// TestWindowNeverAllowsTwice tries random readings, each after the newest one or up to a period before it. As the
// newest readings of events tell the time, twice Max must not fall into one period.
func TestWindowNeverAllowsTwice(t *testing.T) {
	for range 300 {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		rule := ratelimit.Rule{Max: 1 + r.IntN(10), Period: time.Minute}
		pace := time.Duration(math.Exp(r.Float64()*6) * float64(time.Second) / 10)
		var w ratelimit.Window
		newest := start
		var times []time.Time
		for step := range 1000 {
			reading := newest.Add(-time.Duration(r.Int64N(int64(rule.Period))))
			switch r.IntN(8) {
			case 0: // to the edge of a period, where an estimate is at its worst
				newest = newest.Add(w.RetryAfter(newest, rule))
				reading = newest
			case 1, 2, 3, 4:
				newest = newest.Add(time.Duration(r.Int64N(int64(pace))))
				reading = newest
			}
			wait := w.RetryAfter(reading, rule)
			if early, late := w, w; !late.Allow(reading.Add(wait), rule) || wait > 0 && early.Allow(reading.Add(wait-1), rule) {
				t.Fatalf("seed %d, step %d: not allowed after exactly %v", seed, step, wait)
			}
			if !w.Allow(reading, rule) {
				continue
			}
			if n := len(times); n > 0 && reading.Before(times[n-1]) {
				reading = times[n-1]
			}
			times = append(times, reading)
			if i := len(times) - 2*rule.Max; i >= 0 && reading.Sub(times[i]) < rule.Period {
				t.Fatalf("seed %d, step %d: %d events in %v", seed, step, 2*rule.Max, reading.Sub(times[i]))
			}
		}
	}
}

// TestWindowWhenTimeRunsBackwards reads a clock that is behind, and one that was set back.
func TestWindowWhenTimeRunsBackwards(t *testing.T) {
	rule := ratelimit.Rule{Max: 2, Period: time.Minute}
	spent := func(from time.Time) ratelimit.Window {
		var w ratelimit.Window
		w.Allow(from, rule)
		w.Allow(from, rule)
		return w
	}
	for _, back := range []time.Duration{time.Second, 59 * time.Second, 61 * time.Second, 24 * time.Hour} {
		w, now := spent(start), start.Add(-back)
		if w.Allow(now, rule) || w.Allow(now.Add(rule.Period-1), rule) {
			t.Errorf("set back by %v: allowed within a period", back)
		}
		if !w.Allow(now.Add(2*rule.Period), rule) {
			t.Errorf("set back by %v: still refused after two periods", back)
		}
	}
	w, now := spent(time.Now()), time.Now()
	for i := range 10 { // a clock that cannot be set back, read an hour ago
		if w.Allow(now.Add(-time.Hour), rule) || w.Allow(now.Add(time.Duration(i)*time.Second), rule) {
			t.Fatalf("old and new readings in turn: allowed at %d", i)
		}
	}
}

func TestWindowWhoseRuleChanges(t *testing.T) {
	var w ratelimit.Window
	for range 100 {
		w.Allow(start, ratelimit.Rule{Max: 100, Period: time.Minute})
	}
	rule := ratelimit.Rule{Max: 10, Period: time.Minute}
	wait := w.RetryAfter(start, rule) // until ten of the hundred count, as they are held to be spread evenly
	if want := time.Minute + 54*time.Second; wait != want {
		t.Errorf("wait %v, want %v", wait, want)
	}
	if early := w; early.Allow(start.Add(wait-1), rule) {
		t.Error("allowed too early")
	}
	if !w.Allow(start.Add(wait), rule) {
		t.Error("not allowed after the wait")
	}
}
