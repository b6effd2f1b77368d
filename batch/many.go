package batch

import (
	"context"
	"math"
)

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
	room, most := b.cfg.MaxItems-t.Len(), b.cfg.MaxBytes
	if most < 0 {
		most = math.MaxInt
	}
	rows, slab := t.rows, t.slab
	for i, p := range payloads[first:] {
		if i == room || i > 0 && len(slab)-t.base+len(p) > most {
			break
		}
		if len(rows) == cap(rows) || len(slab)+len(p) > cap(slab) {
			t.rows, t.slab = rows, slab
			b.grow(t, len(p))
			rows, slab = t.rows, t.slab
		}
		slab = append(slab, p...)
		rows = append(rows, row[T]{item: item(first + i), end: len(slab)})
		added++
	}
	t.rows, t.slab = rows, slab
	return added, bytes + t.Bytes()
}
