package ratelimit

import (
	"math"
	"time"
)

// settable reports whether one of two readings comes from a clock that can be set. The monotonic clock cannot, and
// both must have it to be compared by it.
func settable(a, b time.Time) bool {
	return a == a.Round(0) || b == b.Round(0) //nolint:staticcheck // Equal does not tell whether there is a monotonic reading
}

// sum adds durations that are not negative; past the longest one it is that.
func sum(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
