// Package ratelimit limits how often something happens, in constant memory: a token [Bucket], a sliding [Window], and a
// [Limiter] that keeps a bucket a key.
//
// All take the time as an argument, so that their callers decide what time it is, once for several of them.
//
// # Concurrency
//
// A Bucket and a Window are for one goroutine at a time; a Limiter is for many.
package ratelimit
