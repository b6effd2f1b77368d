package ratelimit

import (
	"math"
	"time"
)

// Rate is how many events are allowed: PerSecond in the long run, Burst at once.
type Rate struct {
	// PerSecond is how many events a second refill the bucket. What is not above 0 refills nothing.
	PerSecond float64
	// Burst is how many events a full bucket holds. What is not above 0 allows nothing.
	Burst int
}

// Bucket is a token bucket: in any span of time it gives at most Burst tokens and what comes in meanwhile. The zero
// value is full. It takes 32 bytes, and its rate is an argument, so that a million of them share one.
type Bucket struct {
	spent float64   // tokens that are missing, at the time of last
	last  time.Time // the newest reading of the clock
}

// Allow takes one token. False: there is none.
func (b *Bucket) Allow(now time.Time, r Rate) bool { return b.AllowN(now, 1, r) }

// AllowN takes n tokens, or none when there are fewer. More than the burst are never there; what is not above 0 always
// is. A now that is older than one before brings none in, under the terms of the package.
func (b *Bucket) AllowN(now time.Time, n int, r Rate) bool {
	if n <= 0 {
		return true
	}
	b.refill(now, r)
	if !b.holds(n, 0, r) {
		return false
	}
	b.spent += float64(n)
	return true
}

// RetryAfter returns how long it takes until there is a token; 0 when there is one, and the longest duration when there
// never will be.
func (b *Bucket) RetryAfter(now time.Time, r Rate) time.Duration { return b.RetryAfterN(now, 1, r) }

// RetryAfterN returns how long it takes until there are n tokens, under the terms of [Bucket.RetryAfter]. When nobody
// takes any in between, [Bucket.AllowN] finds them after exactly that time.
func (b *Bucket) RetryAfterN(now time.Time, n int, r Rate) time.Duration {
	behind := b.refill(now, r)
	switch {
	case n <= 0 || b.holds(n, 0, r):
		return 0
	case n > r.Burst || !(r.PerSecond > 0):
		return math.MaxInt64
	}
	wait := time.Duration(math.MaxInt64)
	missing := b.spent + float64(n) - float64(r.Burst)
	if ns := math.Ceil(missing / r.PerSecond * float64(time.Second)); ns < math.MaxInt64 {
		wait = time.Duration(ns)
	}
	for step := time.Duration(1); wait < math.MaxInt64 && !b.holds(n, wait, r); step *= 2 { // rounded down
		wait = sum(wait, step)
	}
	return sum(wait, behind)
}

// refill brings the bucket forward to now, and returns how far now is behind the newest reading.
func (b *Bucket) refill(now time.Time, r Rate) (behind time.Duration) {
	if behind = b.last.Sub(now); behind > 0 {
		tooFar := behind.Seconds()*r.PerSecond > float64(r.Burst)
		if !tooFar || !settable(b.last, now) {
			return behind
		}
	}
	b.spent = b.missing(now.Sub(b.last), r)
	b.last = now
	return 0
}

// holds reports whether there are n tokens when the newest reading is so long ago.
func (b *Bucket) holds(n int, elapsed time.Duration, r Rate) bool {
	return b.missing(elapsed, r)+float64(n) <= float64(r.Burst)
}

// missing returns how many tokens are missing when the newest reading is so long ago.
func (b *Bucket) missing(elapsed time.Duration, r Rate) float64 {
	if elapsed <= 0 || !(r.PerSecond > 0) {
		return b.spent
	}
	return max(0, b.spent-elapsed.Seconds()*r.PerSecond)
}
