package wire

import "sync"

const (
	// smallChunk is what a pooled chunk holds in which little waits.
	smallChunk = 4 << 10
	// chunkSize is what a pooled chunk holds: the answers to a full read buffer, so that they go out in one write.
	chunkSize = 32 << 10
	// largeChunk is for one message of the default limit with its header.
	largeChunk = 64<<10 + MaxHeader
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
	round    *Round // data is a part of it
	held     int    // what that kept in memory when it was queued
	pooled   bool   // data is the start of a pooled array
	control  bool   // control frames
	counted  bool   // towards the budget
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

// shrink moves what lies behind the first written bytes to half the memory or less, if that is enough. It reports
// whether it has.
func (k *chunk) shrink(written int) bool {
	left := k.data[written:]
	if k.round != nil || k.control || 2*chunkFor(len(left)) > cap(k.data) {
		return false
	}
	less := newChunk(len(left))
	less.data = append(less.data, left...)
	less.messages = k.messages
	k.release()
	*k = less
	return true
}

func (k *chunk) release() {
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
