package batch

import (
	"context"
	"sync"
)

// Lane is an order: its batches reach the handler one after the other, each when the one before is settled. Get one
// from [Batcher.Lane] or [Batcher.NewLane].
type Lane[T any] struct {
	b       *Batcher[T]
	counter *counter
	active  node[*Lane[T]] // b.mu guards it
	age     node[age[T]]   // b.mu guards it

	mu      sync.Mutex
	fill    *Batch[T] // gets the items; nil when there is none
	due     bool      // fill waits for flight only: it is full, too old, flushed or shut
	flight  *Batch[T] // with the runner; nil when there is no runner
	trial   trial[T]  // of flight; the runner's
	begun   uint64    // batches begun; also the number of the last one
	done    uint64    // batches settled
	waiting list[waiter[T]]
	notice  chan struct{} // closed when a batch is settled; nil when nobody waits for that
	dropped dropped       // and not told
	rows    int           // the size of the last batch, a guess at that of the next
	bytes   int
}

func newLane[T any](b *Batcher[T], c *counter) *Lane[T] {
	l := &Lane[T]{b: b, counter: c}
	l.active.v = l
	l.age.v.lane = l
	return l
}

// Add adds an item with a copy of its payload, which may be nil. It blocks while the lane is full, that is while one
// batch is in flight and the next has no room; those that block get in in the order in which they came. Then an end of
// ctx makes it return ctx.Err(), and Close [ErrClosed]; with either error the item was not added. When there is room,
// ctx is not looked at. With Config.DropOldest it does not block. With nil the item is accepted: it will be handled, or
// counted and told as abandoned.
//
// Without waiting it costs a lock of the lane and the copy, and no allocation once the lanes have warmed up.
func (l *Lane[T]) Add(ctx context.Context, item T, payload []byte) error {
	l.mu.Lock()
	if l.b.closed.Load() {
		l.mu.Unlock()
		return ErrClosed
	}
	if l.waiting.front == nil {
		if ok, err := l.putLocked(item, payload); ok || err != nil {
			l.unlock()
			return err
		}
	}
	w := l.queueLocked(item, payload)
	l.mu.Unlock()
	return l.wait(ctx, w)
}

// Flush hands over what the lane holds now, without waiting for more, and returns nil when everything that had been
// added before is handled or abandoned. When ctx ends first it returns ctx.Err(); the handover goes on.
func (l *Lane[T]) Flush(ctx context.Context) error {
	return l.settled(ctx, l.push())
}

// push makes the filling batch due and returns the number of the last batch begun.
func (l *Lane[T]) push() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.handOverLocked()
	return l.begun
}

// settled waits until the batch of that number is settled.
func (l *Lane[T]) settled(ctx context.Context, batch uint64) error {
	for {
		l.mu.Lock()
		if l.done >= batch {
			l.mu.Unlock()
			return nil
		}
		if err := ctx.Err(); err != nil {
			l.mu.Unlock()
			return err
		}
		if l.notice == nil {
			l.notice = make(chan struct{})
		}
		notice := l.notice
		l.mu.Unlock()
		select {
		case <-notice:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// expire makes the batch of that number due if it still fills.
func (l *Lane[T]) expire(batch uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.begun == batch {
		l.handOverLocked()
	}
}

// shut refuses those that wait to add, and makes the filling batch due. The Batcher is closed.
func (l *Lane[T]) shut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuseLocked()
	l.handOverLocked()
}

// putLocked adds the item if there is room. An error means that there never will be.
func (l *Lane[T]) putLocked(item T, payload []byte) (ok bool, err error) {
	if ok, err := l.openLocked(len(payload)); !ok || err != nil {
		return false, err
	}
	l.counter.items.Add(1)
	if len(payload) > 0 {
		l.counter.bytes.Add(uint64(len(payload)))
	}
	l.b.put(l.fill, item, payload)
	if !l.fitsLocked(1) {
		l.handOverLocked()
	}
	return true, nil
}

// openLocked makes sure that fill has room for one more item with so many bytes. False: not before another batch is
// settled; an error: never.
func (l *Lane[T]) openLocked(bytes int) (ok bool, err error) {
	if l.fill != nil && !l.fitsLocked(bytes) {
		l.handOverLocked()
		if l.fill != nil && !l.makeRoomLocked(bytes) {
			return false, nil
		}
	}
	if l.fill == nil {
		if !l.b.begin(l, l.begun+1) {
			return false, ErrClosed
		}
		l.begun++
		l.fill = l.b.take(l.rows, l.bytes)
	}
	return true, nil
}

// fitsLocked reports whether fill has room for one more item with so many bytes.
func (l *Lane[T]) fitsLocked(bytes int) bool {
	cfg := &l.b.cfg
	return l.fill.Len() < cfg.MaxItems && (cfg.MaxBytes < 0 || l.fill.Bytes()+bytes <= cfg.MaxBytes)
}

// handOverLocked makes fill due, if there is one, and gives it to a new runner when none is at work.
func (l *Lane[T]) handOverLocked() {
	if l.fill == nil || l.due {
		return
	}
	l.b.due(l, l.flight == nil)
	if l.flight != nil {
		l.due = true
		return
	}
	l.takeOffLocked()
	go l.run(nil)
}

// takeOffLocked puts fill in flight.
func (l *Lane[T]) takeOffLocked() {
	l.flight, l.fill, l.due = l.fill, nil, false
	l.trial.begin(l.flight)
	l.rows, l.bytes = l.flight.Len(), l.flight.Bytes()
	// One payload over the limit says nothing about the next batch.
	l.bytes = min(l.bytes, max(l.b.cfg.MaxBytes, minHint))
}

// land drops the batch in flight, which is settled, tells those that wait for it, and starts the next one if it is due.
// When none is, the lane is no longer the caller's: another runner may be at work.
func (l *Lane[T]) land() (more bool) {
	l.b.recycle(l.flight) // before anybody is told that it is settled: then nothing holds its items any more
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flight = nil
	l.done++
	if l.notice != nil {
		close(l.notice)
		l.notice = nil
	}
	switch {
	case l.due:
		l.takeOffLocked()
		l.admitLocked()
		return true
	case l.fill == nil:
		l.b.leave(l)
	}
	return false
}
