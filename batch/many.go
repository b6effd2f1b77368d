package batch

import "context"

// Addition is an item with its payload, which may be nil.
type Addition[T any] struct {
	Item    T
	Payload []byte
}

// AddAll is [Lane.Add] for many items at once, at the cost of one lock as long as the lane has room. It returns how many
// were added; with an error the others were not.
func (l *Lane[T]) AddAll(ctx context.Context, all []Addition[T]) (added int, err error) {
	l.mu.Lock()
	if l.b.closed.Load() {
		l.mu.Unlock()
		return 0, ErrClosed
	}
	if l.waiting.front == nil {
		added, err = l.putAllLocked(all)
	}
	l.unlock()
	for err == nil && added < len(all) {
		if err = l.Add(ctx, all[added].Item, all[added].Payload); err == nil {
			added++
		}
	}
	return added, err
}

// putAllLocked adds items as long as there is room. An error means that there never will be.
func (l *Lane[T]) putAllLocked(all []Addition[T]) (added int, err error) {
	counted, bytes := 0, 0
	count := func() { // before they are handed over, so that never more are handled than were accepted
		l.counter.items.Add(uint64(added - counted))
		l.counter.bytes.Add(uint64(bytes))
		counted, bytes = added, 0
	}
	for i := range all {
		payload := all[i].Payload
		if l.fill != nil && !l.fitsLocked(len(payload)) {
			count()
			l.handOverLocked()
			if l.fill != nil && !l.makeRoomLocked(len(payload)) {
				return added, nil
			}
		}
		if l.fill == nil {
			if !l.b.begin(l, l.begun+1) {
				return added, ErrClosed
			}
			l.begun++
			l.fill = l.b.take(l.rows, l.bytes)
		}
		l.b.put(l.fill, all[i].Item, payload)
		added++
		bytes += len(payload)
		if !l.fitsLocked(1) {
			count()
			l.handOverLocked()
		}
	}
	count()
	return added, nil
}
