package main

import (
	"slices"
	"time"
)

// window is the time of which each has a p99 of its own.
const window = time.Second / 2

// figures are what polite clients have seen since they were last asked.
type figures struct {
	Echoes  int           // that came
	P50     time.Duration // of the round trips
	P99     time.Duration // in the median of the windows that count, or of all when none does
	Windows int
	Counted int    // windows in which the host took no time from the processors
	Failed  string // empty: nothing; of all the time
}

// trip is a message and its echo.
type trip struct {
	at   time.Time // when the echo was there
	took time.Duration
}

// figuresOf returns the median of all trips, and the median of what the windows have for a p99: what disturbs only some
// of them is not the flood's doing, which lasts. Windows in which the host has taken time, as noticed at some moments,
// do not count; those in which nothing comes do, also before the first trip and behind the last one. since is the zero
// time where nobody had asked before.
func figuresOf(trips []trip, since, until time.Time, taken []time.Time) (f figures) {
	var all, some, p99s, counted []time.Duration
	begin, last := since, since
	if len(trips) > 0 {
		last = trips[len(trips)-1].at
		if since.IsZero() {
			begin = trips[0].at
		}
	}
	if last.IsZero() {
		return f
	}
	over := func(end time.Time) {
		p99s = append(p99s, quantile(some, 99))
		if !slices.ContainsFunc(taken, func(at time.Time) bool { return at.After(begin) && !at.After(end.Add(lookAtHost)) }) {
			counted = append(counted, p99s[len(p99s)-1])
		}
	}
	for _, t := range trips {
		all = append(all, t.took)
		for end := begin.Add(window); t.at.After(end); end = begin.Add(window) {
			if len(some) == 0 { // nothing came for so long, and this one was under way
				some = append(some, t.took)
			}
			over(end)
			some, begin = some[:0], end
		}
		some = append(some, t.took)
	}
	for end := begin.Add(window); until.Sub(last) > window && !end.After(until); end = begin.Add(window) {
		some = append(some, end.Sub(last)) // what is under way
		over(end)
		some, begin = some[:0], end
	}
	if len(p99s) == 0 {
		if len(some) == 0 {
			some = append(some, until.Sub(since))
		}
		over(last)
	}
	f.Windows, f.Counted = len(p99s), len(counted)
	if f.Counted > 0 {
		p99s = counted
	}
	if f.Echoes = len(all); f.Echoes == 0 {
		all = []time.Duration{until.Sub(since)}
	}
	f.P50, f.P99 = quantile(all, 50), quantile(p99s, 50)
	return f
}

// quantile sorts.
func quantile(d []time.Duration, percent int) time.Duration {
	slices.Sort(d)
	return d[len(d)*percent/100]
}
