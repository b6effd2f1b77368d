package wire

import "sync"

// hugeBuffer is for messages of up to the length that is the longest one by default.
const hugeBuffer = 64 << 10

var hugePool = sync.Pool{New: func() any { return new([hugeBuffer]byte) }}

// gathered is a message that came in pieces. Its memory grows with what has come, not with what was announced.
type gathered struct {
	data []byte // in an array of one of the pools, unless it is longer, or may not become as long
	most int64  // bytes that may come in all, so that no more is kept ready
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

// recycle gives to its pool what came from one.
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
