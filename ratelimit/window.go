package ratelimit

import (
	"math"
	"time"
)

// Rule is how many events are allowed in a period, as in "10 a minute".
type Rule struct {
	// Max is how many. What is not above 0 allows nothing.
	Max int
	// Period is how long. What is not above 0 allows nothing.
	Period time.Duration
}

// Window is a sliding window that takes constant memory: it counts the events of the present and of the previous
// period, and weighs the previous ones by how much of their period still counts. So it allows exactly Max in every
// period that begins with the first event, and Max in any other in the long run; in the worst case, when the previous
// events came all at its very end, fewer than twice Max fall into one period. The zero value has seen nothing.
type Window struct {
	start    time.Time // of the present period
	current  int
	previous int
}

// Allow counts an event. False: it would be too many, and is not counted.
func (w *Window) Allow(now time.Time, r Rule) bool {
	if r.Max <= 0 || r.Period <= 0 {
		return false
	}
	w.slide(now, r)
	if w.weight(now, r)+1 > float64(r.Max) {
		return false
	}
	w.current++
	return true
}

// RetryAfter returns how long it takes until an event is allowed; 0 when one is, and the longest duration when none
// ever will be.
func (w *Window) RetryAfter(now time.Time, r Rule) time.Duration {
	if r.Max <= 0 || r.Period <= 0 {
		return math.MaxInt64
	}
	w.slide(now, r)
	if w.weight(now, r)+1 <= float64(r.Max) {
		return 0
	}
	toEnd := r.Period - now.Sub(w.start)
	free := float64(r.Max-1-w.current) / float64(max(1, w.previous)) // of the previous period's weight
	if free >= 0 && w.previous > 0 {
		return toEnd - time.Duration(free*float64(r.Period)) + 1
	}
	free = float64(r.Max-1) / float64(w.current) // of the present one's, once it is the previous
	return toEnd + r.Period - time.Duration(free*float64(r.Period)) + 1
}

func (w *Window) weight(now time.Time, r Rule) float64 {
	left := 1 - float64(now.Sub(w.start))/float64(r.Period)
	return float64(w.previous)*left + float64(w.current)
}

// slide moves on to the period that now is in. Time that runs backwards stays at the start of the present one.
func (w *Window) slide(now time.Time, r Rule) {
	switch passed := now.Sub(w.start); {
	case passed >= 2*r.Period || w.start.IsZero():
		w.start, w.previous, w.current = now, 0, 0
	case passed >= r.Period:
		w.start, w.previous, w.current = w.start.Add(r.Period), w.current, 0
	case passed < 0:
		w.start = now
	}
}
