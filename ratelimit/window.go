package ratelimit

import (
	"math"
	"math/bits"
	"time"
)

// Rule is how many events are allowed in a period, as in "10 a minute".
type Rule struct {
	// Max is how many. What is not above 0 allows nothing.
	Max int
	// Period is how long. What is not above 0 allows nothing.
	Period time.Duration
}

// Window is a sliding window that takes constant memory, 48 bytes: it counts the events of the present period, which
// begins with an event, and of the one before, and holds the latter to have been spread evenly. The zero value has seen
// nothing.
//
// Where that estimate is exact, and for a Max of 1, so is the rule. In general:
//   - No more than Max are allowed in a period that begins when none was seen for two, and never 2*Max in any.
//   - Events that are at least Period/Max apart are all allowed.
//   - A caller that tries all the time gets Max a period.
//   - A caller that tries seldom, but then many times, may get less: of Max tries at once each period, all and one
//     in turn.
type Window struct {
	start    time.Time     // of the present period; its first event
	gap      time.Duration // between the end of the previous period and start
	current  int
	previous int
}

// Allow counts an event. False: it would be too many, and is not counted.
func (w *Window) Allow(now time.Time, r Rule) bool {
	if r.Max <= 0 || r.Period <= 0 {
		return false
	}
	w.rewind(now, r)
	next := w.at(now, r)
	if next.wait(now, r) > 0 {
		return false
	}
	next.current++
	*w = next
	return true
}

// RetryAfter returns how long it takes until an event is allowed; 0 when one is, and the longest duration when none
// ever will be. When none is counted in between, [Window.Allow] allows one after exactly that time.
func (w *Window) RetryAfter(now time.Time, r Rule) time.Duration {
	if r.Max <= 0 || r.Period <= 0 {
		return math.MaxInt64
	}
	w.rewind(now, r)
	next := w.at(now, r)
	return next.wait(now, r)
}

// rewind moves the present period back when the clock was set back by more than a period.
func (w *Window) rewind(now time.Time, r Rule) {
	if w.start.Sub(now) > r.Period && settable(w.start, now) {
		w.start = now
	}
}

// at returns the window of the period in which an event now would be counted.
func (w *Window) at(now time.Time, r Rule) Window {
	passed := now.Sub(w.start)
	switch {
	case w.current == 0: // nothing seen
		return Window{start: now}
	case passed < r.Period:
		return *w
	case passed-r.Period >= r.Period:
		return Window{start: now}
	}
	return Window{start: now, gap: passed - r.Period, previous: w.current}
}

// wait returns how long it takes until an event is allowed, from now, which is in the present period or before it.
func (w *Window) wait(now time.Time, r Rule) time.Duration {
	if w.current >= r.Max { // until the next period, and until the present one's excess over the rule has left it
		next := sum(r.Period, r.Period-share(r.Max, r.Period, w.current))
		return until(w.start, next, now)
	}
	if w.previous == 0 {
		return 0
	}
	// As long as more of the previous period counts than has room beside the present one, which is while its share of
	// the period's length is larger.
	room := share(r.Max-w.current, r.Period, w.previous)
	return max(0, until(w.start, r.Period-w.gap-room, now))
}

// until returns how long it is from now to the time that is so long after start; not above 0 when that has come. A now
// before start stands for it.
func until(start time.Time, after time.Duration, now time.Time) time.Duration {
	behind := max(0, start.Sub(now))
	if behind == 0 {
		return after - now.Sub(start)
	}
	if after <= 0 {
		return 0
	}
	return sum(after, behind)
}

// share returns the part n/of of a period, the whole when n is larger.
func share(n int, period time.Duration, of int) time.Duration {
	if n >= of {
		return period
	}
	hi, lo := bits.Mul64(uint64(n), uint64(period))
	part, _ := bits.Div64(hi, lo, uint64(of)) // n < of, so it is less than the period
	return time.Duration(part)
}
