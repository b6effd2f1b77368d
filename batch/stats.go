package batch

import "sync/atomic"

// Stats counts items, except where it says otherwise, since New. Always Accepted = Handled + Abandoned + Pending.
type Stats struct {
	Accepted     uint64 // Add returned nil for them
	Handled      uint64 // the handler returned nil for their batch
	Abandoned    uint64 // their batch was given up
	Pending      uint64 // in a batch that is filling, waiting or in flight
	PendingBytes uint64 // the payload bytes of those
	Batches      uint64 // batches handled
	Retries      uint64 // calls of the handler beyond the first for a batch
}

// counter counts what lanes accept. There are several, each on a cache line of its own, so that adders to different
// lanes do not meet.
type counter struct {
	items, bytes atomic.Uint64
	_            [48]byte
}

// totals is what has been settled; b.mu guards it.
type totals struct {
	handled, abandoned, bytes, batches, retries uint64

	lost uint64          // of abandoned, those since Close began
	last *AbandonedError // the last of those
}

// Stats returns a consistent view. It takes a lock that adders take once a batch.
func (b *Batcher[T]) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Stats{
		Handled:   b.total.handled,
		Abandoned: b.total.abandoned,
		Batches:   b.total.batches,
		Retries:   b.total.retries,
	}
	var bytes uint64
	for i := range b.counters {
		s.Accepted += b.counters[i].items.Load()
		bytes += b.counters[i].bytes.Load()
	}
	s.Pending = s.Accepted - s.Handled - s.Abandoned
	s.PendingBytes = bytes - b.total.bytes
	return s
}

// countHandled counts a batch that the handler took.
func (b *Batcher[T]) countHandled(t *Batch[T]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total.handled += uint64(t.Len())
	b.total.bytes += uint64(t.Bytes())
	b.total.batches++
}

// countAbandoned counts a batch that is given up.
func (b *Batcher[T]) countAbandoned(t *Batch[T], err *AbandonedError) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total.abandoned += uint64(t.Len())
	b.total.bytes += uint64(t.Bytes())
	if b.closed.Load() {
		b.total.lost += uint64(t.Len())
		b.total.last = err
	}
}

// countRetry counts a call of the handler beyond the first.
func (b *Batcher[T]) countRetry() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total.retries++
}
