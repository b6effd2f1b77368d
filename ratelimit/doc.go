// Package ratelimit limits how often something happens, in constant memory: a token [Bucket], a sliding [Window], and a
// [Limiter] that keeps a bucket a key.
//
// All take the time as an argument, so that their callers decide what time it is, once for several of them.
//
// # Time
//
// Readings of the clock need not come in order: one that is older than another before it brings nothing in, and the
// time between the two never counts twice. Only a clock that was set back is believed, so that nobody waits for the
// time that it lost: a reading without a monotonic clock (those of [time.Now] have one) that is older by more than a
// full wait, which is a bucket's Burst/PerSecond or a window's Period. Going back gives nothing either way.
//
// # Concurrency
//
// A Bucket and a Window are for one goroutine at a time; a Limiter is for many.
package ratelimit
