package wire

import "sync"

const (
	// chunkSize is what a pooled chunk holds: the answers to a full read buffer, so that they go out in one write.
	chunkSize = 32 << 10
	// largeChunk is for one message of the default limit with its header.
	largeChunk = 64<<10 + MaxHeader
	// shareFrom is the size in bytes from which a part of a round waits by reference: below, a copy is cheaper.
	shareFrom = 1 << 10
)

var (
	chunkPool      = sync.Pool{New: func() any { return new([chunkSize]byte) }}
	largeChunkPool = sync.Pool{New: func() any { return new([largeChunk]byte) }}
)

// chunk is a run of whole frames that go out in one write.
type chunk struct {
	data     []byte
	messages int
	pooled   *[chunkSize]byte
	large    *[largeChunk]byte
	round    *Round // data is a part of it
	control  bool   // control frames
}

// newChunk returns a chunk with room for size bytes.
func newChunk(size int) chunk {
	switch {
	case size <= chunkSize:
		pooled := chunkPool.Get().(*[chunkSize]byte)
		return chunk{data: pooled[:0], pooled: pooled}
	case size <= largeChunk:
		large := largeChunkPool.Get().(*[largeChunk]byte)
		return chunk{data: large[:0], large: large}
	default:
		return chunk{data: make([]byte, 0, size)}
	}
}

// room returns how many bytes still fit.
func (k *chunk) room() int {
	if k.pooled == nil {
		return 0
	}
	return cap(k.data) - len(k.data)
}

func (k *chunk) release() {
	switch {
	case k.pooled != nil:
		chunkPool.Put(k.pooled)
	case k.large != nil:
		largeChunkPool.Put(k.large)
	case k.round != nil:
		k.round.Release()
	}
	*k = chunk{}
}
