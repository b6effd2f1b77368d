package batch

import "context"

// AddAll is [Lane.Add] for many payloads at once, the i-th of them with what item(i) returns, at the cost of one lock as
// long as the lane has room. It calls item under that lock, in the order of the payloads, so item must not block, and not
// use the lane. AddAll returns how many were added; with an error the others were not.
func (l *Lane[T]) AddAll(ctx context.Context, payloads [][]byte, item func(i int) T) (added int, err error) {
	for added < len(payloads) {
		n, err := l.putSome(payloads, added, item)
		if added += n; err != nil || added == len(payloads) {
			return added, err
		}
		if err := l.Add(ctx, item(added), payloads[added]); err != nil {
			return added, err
		}
		added++
	}
	return added, nil
}

// putSome adds payloads from the first one on, as long as there is room and nobody waits for it, and returns how many.
func (l *Lane[T]) putSome(payloads [][]byte, first int, item func(i int) T) (added int, err error) {
	l.mu.Lock()
	defer l.unlock()
	if l.b.closed.Load() {
		return 0, ErrClosed
	}
	if l.waiting.front != nil {
		return 0, nil
	}
	for first+added < len(payloads) {
		if ok, err := l.openLocked(len(payloads[first+added])); !ok || err != nil {
			return added, err
		}
		n, bytes := l.b.putMany(l.fill, payloads, first+added, item)
		l.counter.items.Add(uint64(n))
		l.counter.bytes.Add(uint64(bytes))
		if added += n; !l.fitsLocked(1) {
			l.handOverLocked()
		}
	}
	return added, nil
}

// putMany adds payloads from the first one on, at least that one, as long as the batch has room for them. It returns how
// many that are, and their bytes.
func (b *Batcher[T]) putMany(t *Batch[T], payloads [][]byte, first int, item func(i int) T) (added, bytes int) {
	bytes = -t.Bytes()
	most := b.cfg.MaxBytes
	room := min(len(payloads), first+b.cfg.MaxItems-t.Len())
	for i := first; i < room; i++ {
		p := payloads[i]
		if most >= 0 && t.Bytes()+len(p) > most && i > first {
			room = i
			break
		}
		b.put(t, item(i), p)
	}
	return room - first, bytes + t.Bytes()
}
