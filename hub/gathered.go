package hub

import (
	"sync"

	"github.com/fiberwsx/wsx/ws"
)

// mostGathered is how many messages of one read go to the batch together. A connection that has to wait for the batch
// keeps them, so those with a few get less room.
const (
	mostGathered = 256
	fewGathered  = 16
)

// gathered is messages of one read that are on their way to the batch.
type gathered struct {
	payloads [][]byte
	kinds    []ws.MessageType
}

var (
	gatheredPool = newGatheredPool(mostGathered)
	fewPool      = newGatheredPool(fewGathered)
)

func newGatheredPool(size int) *sync.Pool {
	return &sync.Pool{New: func() any {
		return &gathered{payloads: make([][]byte, 0, size), kinds: make([]ws.MessageType, 0, size)}
	}}
}

// release gives g back to where it came from.
func (g *gathered) release() {
	clear(g.payloads)
	g.payloads, g.kinds = g.payloads[:0], g.kinds[:0]
	if cap(g.payloads) == fewGathered {
		fewPool.Put(g)
	} else {
		gatheredPool.Put(g)
	}
}

// full reports whether g, which may be nil, has no room for one more.
func (g *gathered) full() bool { return g == nil || len(g.payloads) == cap(g.payloads) }

// grown returns what replaces g when that is full.
func (g *gathered) grown() *gathered {
	if g == nil {
		return fewPool.Get().(*gathered)
	}
	more := gatheredPool.Get().(*gathered)
	more.payloads, more.kinds = append(more.payloads, g.payloads...), append(more.kinds, g.kinds...)
	g.release()
	return more
}
