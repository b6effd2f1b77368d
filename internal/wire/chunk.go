package wire

import "sync"

const (
	// smallChunk is what a pooled chunk holds in which little waits.
	smallChunk = 4 << 10
	// chunkSize is what a pooled chunk holds: the answers to a full read buffer, so that they go out in one write.
	chunkSize = 32 << 10
	// largeChunk is for one message of the default limit with its header: Go's next size of memory above that.
	largeChunk = 72 << 10
	// shareFrom is the size in bytes from which a part of a round waits by reference: below, a copy is cheaper.
	shareFrom = 1 << 10
)

var (
	smallChunkPool = sync.Pool{New: func() any { return new([smallChunk]byte) }}
	chunkPool      = sync.Pool{New: func() any { return new([chunkSize]byte) }}
	largeChunkPool = sync.Pool{New: func() any { return new([largeChunk]byte) }}
)

// chunk is a run of whole frames that go out in one write.
type chunk struct {
	data     []byte
	messages int
	torn     int    // bytes of a first message of which only these are left in data; 0: it is whole
	round    *Round // data is a part of it
	held     int    // what that kept in memory when it was queued
	pooled   bool   // data is the start of a pooled array
	control  bool   // control frames
	counted  bool   // towards the budget
	raw      bool   // to be compressed when its turn comes
	terms    *terms // on which it may be dropped; nil: it may not
}

// terms say how the messages of a chunk are treated while they wait: each by its own mark, while they lie in a round,
// or the only one by the chunk's.
type terms struct {
	mark  Mark
	marks []Mark
}

var termsPool = sync.Pool{New: func() any { return new(terms) }}

func newTerms(m Mark, marks []Mark) *terms {
	t := termsPool.Get().(*terms)
	*t = terms{m, marks}
	return t
}

// marked reports whether the chunk is a part of a round whose messages have marks.
func (k *chunk) marked() bool { return k.terms != nil && k.terms.marks != nil }

// loose reports whether the chunk is one message that has a mark.
func (k *chunk) loose() bool { return k.terms != nil && k.terms.marks == nil }

// cut takes the first n messages off a marked chunk.
func (k *chunk) cut(n int, b *budget) chunk {
	end := frameLens(k.data, n)
	piece := *k
	piece.data, piece.messages, piece.terms = k.data[:end], n, newTerms(Mark{}, k.terms.marks[:n])
	k.data, k.messages, k.terms.marks = k.data[end:], k.messages-n, k.terms.marks[n:]
	piece.round.retain()
	if piece.counted {
		piece.round.count(b, piece.held)
	}
	return piece
}

// within returns how many messages of a marked chunk end within so many bytes of it, but 1 at least.
func (k *chunk) within(bytes int) (n int) { return max(1, k.whole(bytes)) }

// whole returns how many messages of a chunk end within so many bytes of it.
func (k *chunk) whole(bytes int) (n int) {
	for end := 0; end < len(k.data); n++ {
		if n == 0 && k.torn > 0 { // what is left of it has no header
			end = k.torn
		} else {
			end += frameLen(k.data[end:])
		}
		if end > bytes {
			return n
		}
	}
	return n
}

// newChunk returns a chunk with room for size bytes.
func newChunk(size int) chunk {
	switch chunkFor(size) {
	case smallChunk:
		return chunk{data: smallChunkPool.Get().(*[smallChunk]byte)[:0], pooled: true}
	case chunkSize:
		return chunk{data: chunkPool.Get().(*[chunkSize]byte)[:0], pooled: true}
	case largeChunk:
		return chunk{data: largeChunkPool.Get().(*[largeChunk]byte)[:0], pooled: true}
	default:
		return chunk{data: make([]byte, 0, size)}
	}
}

// chunkFor returns how much memory a chunk for size bytes has.
func chunkFor(size int) int {
	switch {
	case size <= smallChunk:
		return smallChunk
	case size <= chunkSize:
		return chunkSize
	case size <= largeChunk:
		return largeChunk
	default:
		return size
	}
}

// room returns how many bytes still fit.
func (k *chunk) room() int {
	if !k.pooled || cap(k.data) == largeChunk {
		return 0
	}
	return cap(k.data) - len(k.data)
}

// size returns what the chunk counts for: its memory, or its part of a round.
func (k *chunk) size() int {
	if k.round != nil {
		return len(k.data)
	}
	return cap(k.data)
}

// shrink moves what lies behind the first written bytes to half the memory or less, if it fits. It reports whether it
// has, and how many messages were written whole and count no more.
func (k *chunk) shrink(written int) (sent int, ok bool) {
	left := k.data[written:]
	if k.round != nil || k.control || 2*chunkFor(len(left)) > cap(k.data) {
		return 0, false
	}
	less := newChunk(len(left))
	less.data = append(less.data, left...)
	if written > 0 {
		sent = k.whole(written)
		less.torn = frameLens(k.data, sent+1) - written
	}
	less.messages, less.raw, less.terms = k.messages-sent, k.raw, k.terms
	k.terms = nil
	k.release()
	*k = less
	return sent, true
}

func (k *chunk) release() {
	if k.terms != nil {
		*k.terms = terms{}
		termsPool.Put(k.terms)
	}
	switch all := k.data[:cap(k.data)]; {
	case k.round != nil:
		k.round.Release()
	case !k.pooled:
	case len(all) == smallChunk:
		smallChunkPool.Put((*[smallChunk]byte)(all))
	case len(all) == chunkSize:
		chunkPool.Put((*[chunkSize]byte)(all))
	default:
		largeChunkPool.Put((*[largeChunk]byte)(all))
	}
	*k = chunk{}
}
