package batch

import (
	"math/bits"
	"sync"
)

const (
	minRows = 8
	minSlab = 512
	// minHint is up to where a lane's next slab may be as large as its last one, whatever MaxBytes says.
	minHint = 64 << 10
	// maxClass is the largest power of two that is kept; a larger slice is left to the garbage collector.
	maxClass = 24
)

// pool keeps emptied slices by capacity, in powers of two. So a lane that trickles holds a small slice even when
// others have grown large ones, and the garbage collector takes back what an idle Batcher does not use.
type pool[E any] struct {
	classes [maxClass + 1]sync.Pool
}

// get returns an empty slice of at least that capacity, behind the pointer that put takes back.
func (p *pool[E]) get(capacity int) *[]E {
	c := class(capacity)
	if c > maxClass {
		s := make([]E, 0, capacity)
		return &s
	}
	if s, ok := p.classes[c].Get().(*[]E); ok {
		return s
	}
	s := make([]E, 0, 1<<c)
	return &s
}

// put takes back what get returned. The caller has cleared what must not be kept.
func (p *pool[E]) put(s *[]E) {
	c := class(cap(*s))
	if c > maxClass || cap(*s) != 1<<c {
		return
	}
	*s = (*s)[:0]
	p.classes[c].Put(s)
}

// class returns the exponent of the smallest power of two that is at least n.
func class(n int) int { return bits.Len(uint(max(n, 1) - 1)) }
