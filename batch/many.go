package batch

import (
	"context"
	"math"
)

// AddAll is [Lane.Add] for many payloads at once, at the cost of one lock as long as the lane has room. The item of the
// i-th of them is what fill makes of a zero T. AddAll calls fill under that lock, in the order of the payloads, so fill
// must not block, not use the lane, and not keep the pointer. It returns how many were added; with an error the others
// were not.
func (l *Lane[T]) AddAll(ctx context.Context, payloads [][]byte, fill func(i int, item *T)) (added int, err error) {
	for added < len(payloads) {
		n, err := l.putSome(payloads, added, fill)
		if added += n; err != nil || added == len(payloads) {
			return added, err
		}
		var item T
		fill(added, &item)
		if err := l.Add(ctx, item, payloads[added]); err != nil {
			return added, err
		}
		added++
	}
	return added, nil
}

// putSome adds payloads from the first one on, as long as there is room and nobody waits for it, and returns how many.
func (l *Lane[T]) putSome(payloads [][]byte, first int, fill func(i int, item *T)) (added int, err error) {
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
		n, bytes := l.b.putMany(l.fill, payloads, first+added, fill)
		l.counter.items.Add(uint64(n))
		l.counter.bytes.Add(uint64(bytes))
		if added += n; !l.fitsLocked(1) {
			l.handOverLocked()
		}
	}
	return added, nil
}

// putMany adds payloads from the first one on, at least that one, as long as the batch has room for them. It returns
// how many that are, and their bytes.
func (b *Batcher[T]) putMany(t *Batch[T], payloads [][]byte, first int, fill func(i int, item *T)) (added, bytes int) {
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
		rows = rows[:len(rows)+1]
		r := &rows[len(rows)-1]
		fill(first+i, &r.item)
		r.end = len(slab)
		added++
	}
	t.rows, t.slab = rows, slab
	return added, bytes + t.Bytes()
}
