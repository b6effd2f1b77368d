package batch

import "sync/atomic"

// Stats counts items, except where it says otherwise, since New. Always Accepted = Handled + DeadLettered + Rejected +
// Dropped + Abandoned + Pending.
type Stats struct {
	Accepted     uint64 // Add returned nil for them
	Handled      uint64 // the handler returned nil for their batch, and had not rejected them
	DeadLettered uint64 // rejected, and the dead letter took them
	Rejected     uint64 // by the handler or as poison, and no dead letter took them
	Dropped      uint64 // made room for newer ones; see Config.DropOldest
	Abandoned    uint64 // given up
	Pending      uint64 // in a batch that is filling, waiting or in flight
	PendingBytes uint64 // the payload bytes of those
	Batches      uint64 // batches handled
	Retries      uint64 // calls of the handler beyond the first for a batch
}

// counter counts what lanes accept. There are several, each on a cache line of its own, so that adders to different
// lanes do not meet.
type counter struct {
	items, bytes               atomic.Uint64
	droppedItems, droppedBytes atomic.Uint64
	_                          [32]byte
}

// totals is what has been settled; b.mu guards it.
type totals struct {
	handled, lettered, rejected, abandoned, bytes, batches, retries uint64

	lost uint64          // of abandoned, those since Close began
	last *AbandonedError // the last of those
}

// Stats returns a consistent view. It takes a lock that adders take once a batch.
func (b *Batcher[T]) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Stats{
		Handled:      b.total.handled,
		DeadLettered: b.total.lettered,
		Rejected:     b.total.rejected,
		Abandoned:    b.total.abandoned,
		Batches:      b.total.batches,
		Retries:      b.total.retries,
	}
	bytes := -b.total.bytes
	for i := range b.counters { // what has gone before what has come: never more of it
		c := &b.counters[i]
		s.Dropped += c.droppedItems.Load()
		bytes -= c.droppedBytes.Load()
		s.Accepted += c.items.Load()
		bytes += c.bytes.Load()
	}
	s.Pending = s.Accepted - s.Handled - s.DeadLettered - s.Rejected - s.Dropped - s.Abandoned
	s.PendingBytes = bytes
	return s
}

// countSettled counts a batch that nothing more happens to: all of its items are handled but those in rejected, of
// which those in lost were given up.
func (b *Batcher[T]) countSettled(t *Batch[T], rejected []Rejected[T], lost *AbandonedError) {
	delivered := 0
	for i := range rejected {
		if rejected[i].Delivered {
			delivered++
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total.handled += uint64(t.Len() - len(rejected))
	b.total.lettered += uint64(delivered)
	b.total.bytes += uint64(t.Bytes())
	if len(rejected) < t.Len() {
		b.total.batches++
	}
	refused := len(rejected) - delivered
	if lost != nil {
		refused -= lost.Items
		b.total.abandoned += uint64(lost.Items)
		if b.closed.Load() {
			b.total.lost += uint64(lost.Items)
			b.total.last = lost
		}
	}
	b.total.rejected += uint64(refused)
}

// countRetry counts a call of the handler beyond the first.
func (b *Batcher[T]) countRetry() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total.retries++
}
