package batch

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"
)

// Config says when a batch is handed over and what happens when the handler fails. The zero value is ready to use.
type Config struct {
	// MaxItems is the most items in a batch; the batch that reaches it is handed over at once. It bounds the memory
	// of a lane and cannot be off. Optional. Default: 500.
	MaxItems int
	// MaxBytes is the most payload bytes in a batch; the batch that reaches it is handed over at once, and so is one
	// that the next payload would take past it. A payload larger than this travels in a batch of its own. Negative:
	// off. Optional. Default: 1 MiB.
	MaxBytes int
	// MaxAge is the most time from the first item of a batch to its handover; later items do not restart it. When
	// many lanes are filling, a batch may go up to a hundredth of MaxAge (1 ms at most) early, with an older one. A
	// batch in flight in the same lane goes first. Negative: off; then a batch that does not fill waits for Flush or
	// Close. Optional. Default: 100 ms.
	MaxAge time.Duration
	// Lanes is the number of shared lanes, those of [Batcher.Lane]; it cannot be negative. Optional.
	// Default: GOMAXPROCS, at least 2.
	Lanes int
	// Attempts is how often the handler gets a batch before it is parted, to find the items that it fails for: halves,
	// halves of those that fail, and so on, each tried once. What fails by itself is rejected, the rest is handled.
	// When the last attempt fails because its Timeout has passed, or with [ErrUnavailable], the batch is given up
	// instead; a part that fails so has as many attempts, and then what is left of the batch is given up. Negative: no
	// limit; a batch that always fails then holds its lane until Close ends it. Optional. Default: 8.
	Attempts int
	// OnPoison says what happens to an item that the handler fails for and that no dead letter takes. Optional.
	// Default: Refuse.
	OnPoison OnPoison
	// Backoff is the longest pause before the second attempt; it doubles before each further one. The pause itself is a
	// random part of that, so that lanes that fail together do not come again together. Negative: no pause. Optional.
	// Default: 100 ms.
	Backoff time.Duration
	// MaxBackoff is the longest pause. Negative: off. Optional. Default: 5 s.
	MaxBackoff time.Duration
	// Timeout is how long one call of the handler may take before its context is cancelled. That is all it does: the
	// handler's own return decides whether the batch was handled. Negative: off. Optional. Default: 30 s.
	Timeout time.Duration
	// DropOldest makes room for new items by dropping the oldest ones that wait, where Add would block else: for data
	// of which only the newest counts. What is with the handler, or comes again to it, is not dropped. The dropped ones
	// count as Stats.Dropped. Optional. Default: false.
	DropOldest bool
	// OnRetry hears of each failed attempt that another one follows: what failed, the number of the failed attempt
	// from 1, and the pause before the next. It holds its lane until it returns; a panic in it is recovered and
	// lost. Optional.
	OnRetry func(err error, attempt int, wait time.Duration)
	// OnAbandon hears of each batch that is given up: err is an [*AbandonedError], items its number of items. The
	// same rules as for OnRetry hold. Optional.
	OnAbandon func(err error, items int)
	// OnReject hears of each batch with items that were rejected and that no dead letter took: err is a
	// [*RejectedError], items their number. The same rules as for OnRetry hold. Optional.
	OnReject func(err error, items int)
}

// withDefaults returns c with every 0 replaced by its default. It panics when c cannot work.
func (c Config) withDefaults() Config {
	switch {
	case c.MaxItems < 0:
		panic("batch: Config.MaxItems is negative, but it bounds a lane's memory: set it to the largest batch that the handler should see")
	case c.Lanes < 0:
		panic("batch: Config.Lanes is negative: set the number of shared lanes, or 0 for one a processor")
	case c.Attempts < 0 && c.Backoff < 0:
		panic("batch: Config.Attempts and Config.Backoff are both off, so a failing batch would be retried without end or pause: set one of them")
	case c.OnPoison != Refuse && c.OnPoison != Hold:
		panic("batch: Config.OnPoison must be batch.Refuse or batch.Hold")
	}
	c.checkTimes()
	c.MaxItems = or(c.MaxItems, 500)
	c.MaxBytes = or(c.MaxBytes, 1<<20)
	c.MaxAge = or(c.MaxAge, 100*time.Millisecond)
	c.Lanes = or(c.Lanes, max(2, runtime.GOMAXPROCS(0)))
	c.Attempts = or(c.Attempts, 8)
	c.Backoff = or(c.Backoff, 100*time.Millisecond)
	c.MaxBackoff = or(c.MaxBackoff, 5*time.Second)
	c.Timeout = or(c.Timeout, 30*time.Second)
	return c
}

// checkTimes panics when a time is one that nobody means: a number of seconds without its unit is nanoseconds.
func (c Config) checkTimes() {
	for _, t := range []struct {
		name string
		is   time.Duration
	}{{"MaxAge", c.MaxAge}, {"Backoff", c.Backoff}, {"MaxBackoff", c.MaxBackoff}, {"Timeout", c.Timeout}} {
		if t.is > 0 && t.is < time.Microsecond {
			panic(fmt.Sprintf("batch: Config.%s is %v: write its unit, as in %d*time.Second", t.name, t.is, t.is))
		}
	}
}

// or returns v, or def when v is 0.
func or[N int | time.Duration](v, def N) N {
	if v == 0 {
		return def
	}
	return v
}

// pause returns how long to wait after the failed attempt of that number, from 1.
func (c Config) pause(attempt int) time.Duration {
	if c.Backoff < 0 {
		return 0
	}
	return jitter(c.longestPause(attempt))
}

// jitter returns a random part of d.
var jitter = rand.N[time.Duration]

// longestPause returns how long that may be.
func (c Config) longestPause(attempt int) time.Duration {
	const longest = time.Duration(1<<63 - 1)
	limit := longest
	if c.MaxBackoff > 0 {
		limit = c.MaxBackoff
	}
	d := c.Backoff
	for i := 1; i < attempt && d < limit; i++ {
		if d > longest/2 {
			return limit
		}
		d *= 2
	}
	return min(d, limit)
}
