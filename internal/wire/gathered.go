package wire

import "sync"

// hugeBuffer is as long as a message may be by default.
const hugeBuffer = 64 << 10

var hugePool = sync.Pool{New: func() any { return new([hugeBuffer]byte) }}

// gathered is a message that came in pieces. Its memory grows with what has come, not with what was announced.
type gathered struct {
	data []byte // in a pooled array, unless it is longer than these are, or most lies between two of their lengths
	most int64  // bytes that may come in all: no more memory than that is made for them
}

func (g *gathered) len() int { return len(g.data) }

func (g *gathered) add(p []byte) {
	if n := len(g.data) + len(p); n > cap(g.data) {
		larger := g.room(n)
		larger = append(larger, g.data...)
		recycle(g.data)
		g.data = larger
	}
	g.data = append(g.data, p...)
}

// room returns an empty slice with room for n bytes.
func (g *gathered) room(n int) []byte {
	switch {
	case n <= smallBuffer:
		return smallPool.Get().(*[smallBuffer]byte)[:0]
	case n <= largeBuffer:
		return largePool.Get().(*[largeBuffer]byte)[:0]
	case n <= hugeBuffer && g.most >= hugeBuffer:
		return hugePool.Get().(*[hugeBuffer]byte)[:0]
	default:
		return make([]byte, 0, max(int64(n), min(2*int64(cap(g.data)), g.most)))
	}
}

// recycle gives an array that is as long as those of a pool to that pool.
func recycle(b []byte) {
	switch b = b[:cap(b)]; len(b) {
	case smallBuffer:
		smallPool.Put((*[smallBuffer]byte)(b))
	case largeBuffer:
		largePool.Put((*[largeBuffer]byte)(b))
	case hugeBuffer:
		hugePool.Put((*[hugeBuffer]byte)(b))
	}
}

// release gives the memory back.
func (g *gathered) release() {
	recycle(g.data)
	*g = gathered{}
}
