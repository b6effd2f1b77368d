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

// Bucket is a token bucket. The zero value is full. It takes 32 bytes, and its rate is an argument, so that a million
// of them share one.
type Bucket struct {
	spent float64   // tokens that are missing, at the time of last
	last  time.Time // of the last call
}

// Allow takes one token. False: there is none.
func (b *Bucket) Allow(now time.Time, r Rate) bool { return b.AllowN(now, 1, r) }

// AllowN takes n tokens, or none when there are fewer. More than the burst are never there; what is not above 0 always
// is. Time that runs backwards refills nothing.
func (b *Bucket) AllowN(now time.Time, n int, r Rate) bool {
	if n <= 0 {
		return true
	}
	b.refill(now, r)
	if b.spent+float64(n) > float64(r.Burst) {
		return false
	}
	b.spent += float64(n)
	return true
}

// RetryAfter returns how long it takes until there is a token; 0 when there is one, and the longest duration when there
// never will be.
func (b *Bucket) RetryAfter(now time.Time, r Rate) time.Duration { return b.RetryAfterN(now, 1, r) }

// RetryAfterN returns how long it takes until there are n tokens, under the terms of [Bucket.RetryAfter].
func (b *Bucket) RetryAfterN(now time.Time, n int, r Rate) time.Duration {
	b.refill(now, r)
	missing := b.spent + float64(n) - float64(r.Burst)
	switch {
	case n <= 0 || missing <= 0:
		return 0
	case n > r.Burst || !(r.PerSecond > 0):
		return math.MaxInt64
	}
	wait := math.Ceil(missing / r.PerSecond * float64(time.Second))
	if wait >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(wait)
}

func (b *Bucket) refill(now time.Time, r Rate) {
	if elapsed := now.Sub(b.last).Seconds(); elapsed > 0 && r.PerSecond > 0 {
		b.spent = max(0, b.spent-elapsed*r.PerSecond)
	}
	b.last = now
}
