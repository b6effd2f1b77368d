package batch

import "context"

// waiter is an Add that waits for room. Who makes room adds its item for it, so nobody that comes later gets in
// first, and one wake-up is enough.
type waiter[T any] struct {
	item    T
	payload []byte // the caller's: it is blocked in Add as long as this is queued
	err     error
	told    chan struct{} // holds one token when the item was added or refused
}

// queueLocked puts an Add at the end of the queue.
func (l *Lane[T]) queueLocked(item T, payload []byte) *node[waiter[T]] {
	w, ok := l.b.waiters.Get().(*node[waiter[T]])
	if !ok {
		w = &node[waiter[T]]{v: waiter[T]{told: make(chan struct{}, 1)}}
	}
	w.v.item, w.v.payload = item, payload
	l.waiting.push(w)
	return w
}

// wait returns when w's item was added or refused, or leaves the queue when ctx ends first.
func (l *Lane[T]) wait(ctx context.Context, w *node[waiter[T]]) error {
	select {
	case <-w.v.told:
	case <-ctx.Done():
		if l.giveUp(w) {
			w.v.err = ctx.Err()
		} else {
			<-w.v.told
		}
	}
	err := w.v.err
	w.v = waiter[T]{told: w.v.told}
	l.b.waiters.Put(w)
	return err
}

// giveUp takes w out of the queue; false when it was added or refused already.
func (l *Lane[T]) giveUp(w *node[waiter[T]]) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	queued := w.in
	l.waiting.remove(w)
	return queued
}

// admitLocked adds the items that wait, as far as there is room.
func (l *Lane[T]) admitLocked() {
	for w := l.waiting.front; w != nil; w = l.waiting.front {
		ok, err := l.putLocked(w.v.item, w.v.payload)
		if err != nil {
			l.refuseLocked()
			return
		}
		if !ok {
			return
		}
		l.waiting.remove(w)
		w.v.told <- struct{}{}
	}
}

// refuseLocked tells all that wait that the Batcher is closed.
func (l *Lane[T]) refuseLocked() {
	for w := l.waiting.front; w != nil; w = l.waiting.front {
		l.waiting.remove(w)
		w.v.err = ErrClosed
		w.v.told <- struct{}{}
	}
}
