package batch

import "iter"

// Batch is what the handler gets: items in the order in which they were added, each with its payload. It is valid
// until the handler returns, and so is every payload: the memory is used again. Keep a copy of what must live on.
// A retried batch is the same one, so the handler must not change payloads.
//
// Reject takes single items out. What the handler gets may be a part of the batch that was filled: one that goes on
// failing is parted to find out which items it fails for.
type Batch[T any] struct {
	rows    []row[T]
	slab    []byte // the payloads, one after the other
	base    int    // where the first one begins
	attempt int
	refused []refusal // by the handler, in this attempt
	rowsBox *[]row[T] // where rows and slab go back to their pools
	slabBox *[]byte
}

// refusal is an item that the handler has rejected.
type refusal struct {
	index int
	err   error
}

// row is one item and where its payload ends in the slab.
type row[T any] struct {
	item T
	end  int
}

// Len returns the number of items; it is at least 1.
func (b *Batch[T]) Len() int { return len(b.rows) }

// Bytes returns the sum of the payloads' lengths.
func (b *Batch[T]) Bytes() int {
	if len(b.rows) == 0 {
		return 0
	}
	return b.rows[len(b.rows)-1].end - b.base
}

// Attempt returns which attempt this is, from 1.
func (b *Batch[T]) Attempt() int { return b.attempt }

// Item returns the i-th item, from 0.
func (b *Batch[T]) Item(i int) T { return b.rows[i].item }

// Payload returns the payload of the i-th item, empty when it was added without one. It aliases the batch.
func (b *Batch[T]) Payload(i int) []byte {
	start := b.base
	if i > 0 {
		start = b.rows[i-1].end
	}
	end := b.rows[i].end
	return b.slab[start:end:end]
}

// All returns the items with their numbers from 0.
func (b *Batch[T]) All() iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for i := range b.rows {
			if !yield(i, b.rows[i].item) {
				return
			}
		}
	}
}

// Reject says that the i-th item can never be handled: it goes to the dead letter, or counts as rejected, once the
// handler has returned nil. With an error the whole batch comes again, and so does the item. Only the handler may call
// it, in the goroutine that it was called in; a second call for an item counts instead of the first. err may be nil.
func (b *Batch[T]) Reject(i int, err error) {
	_ = b.rows[i]
	for j := range b.refused {
		if b.refused[j].index == i {
			b.refused[j].err = err
			return
		}
	}
	b.refused = append(b.refused, refusal{index: i, err: err})
}

// Rejected returns what was rejected in this attempt so far: the items' numbers and the reasons, so that the handler
// can store both in the same transaction as the others.
func (b *Batch[T]) Rejected() iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for _, r := range b.refused {
			if !yield(r.index, r.err) {
				return
			}
		}
	}
}

// part makes p the items from lo to hi of b.
func (b *Batch[T]) part(p *Batch[T], lo, hi int) {
	p.rows, p.slab, p.base = b.rows[lo:hi:hi], b.slab, b.base
	if lo > 0 {
		p.base = b.rows[lo-1].end
	}
	p.refused = p.refused[:0]
}

// take returns an empty batch with room for about that many rows and bytes.
func (b *Batcher[T]) take(rows, bytes int) *Batch[T] {
	t, ok := b.batches.Get().(*Batch[T])
	if !ok {
		t = new(Batch[T])
	}
	t.rowsBox = b.rows.get(max(rows, minRows))
	t.rows = *t.rowsBox
	if bytes > 0 {
		t.slabBox = b.slabs.get(max(bytes, minSlab))
		t.slab = *t.slabBox
	}
	return t
}

// put adds an item with a copy of its payload.
func (b *Batcher[T]) put(t *Batch[T], item T, payload []byte) {
	if len(t.rows) == cap(t.rows) {
		b.growRows(t)
	}
	if len(t.slab)+len(payload) > cap(t.slab) {
		b.growSlab(t, t.Bytes()+len(payload))
	}
	t.slab = append(t.slab, payload...)
	t.rows = append(t.rows, row[T]{item: item, end: len(t.slab)})
}

// grow makes room for one more item with so many bytes.
func (b *Batcher[T]) grow(t *Batch[T], bytes int) {
	if len(t.rows) == cap(t.rows) {
		b.growRows(t)
	}
	if len(t.slab)+bytes > cap(t.slab) {
		b.growSlab(t, len(t.slab)+bytes)
	}
}

// growRows moves t's rows to a slice of twice the capacity.
func (b *Batcher[T]) growRows(t *Batch[T]) {
	box := b.rows.get(2 * cap(t.rows))
	rows := append(*box, t.rows...)
	b.dropRows(t)
	t.rowsBox, t.rows = box, rows
}

// growSlab moves t's payloads to a slab of at least that capacity. Where items were dropped in front it is twice that,
// so that it does not have to move them again with the next one.
func (b *Batcher[T]) growSlab(t *Batch[T], capacity int) {
	if t.base > 0 {
		capacity *= 2
	}
	box := b.slabs.get(max(capacity, minSlab))
	slab := append(*box, t.slab[t.base:]...)
	for i := range t.rows {
		t.rows[i].end -= t.base
	}
	b.dropSlab(t)
	t.slabBox, t.slab, t.base = box, slab, 0
}

// shed drops the first item and returns how many bytes it had.
func (b *Batch[T]) shed() int {
	bytes := b.rows[0].end - b.base
	b.base = b.rows[0].end
	clear(b.rows[:1])
	b.rows = b.rows[1:]
	return bytes
}

// dropRows gives t's rows back, cleared, so that the pool keeps no item alive.
func (b *Batcher[T]) dropRows(t *Batch[T]) {
	clear(t.rows)
	b.rows.put(t.rowsBox)
	t.rowsBox, t.rows = nil, nil
}

// dropSlab gives t's slab back.
func (b *Batcher[T]) dropSlab(t *Batch[T]) {
	if t.slabBox == nil {
		return
	}
	poison(t.slab)
	*t.slabBox = t.slab
	b.slabs.put(t.slabBox)
	t.slabBox, t.slab = nil, nil
}

// recycle takes a settled batch apart for the next ones.
func (b *Batcher[T]) recycle(t *Batch[T]) {
	b.dropRows(t)
	b.dropSlab(t)
	t.attempt, t.base = 0, 0
	b.batches.Put(t)
}
