package wire

// gathered is a message that came in pieces. Its memory grows with what has come, not with what was announced.
type gathered struct {
	data  []byte
	small *[smallBuffer]byte // what data lies in, as long as that is enough
	large *[largeBuffer]byte // and then
	most  int64              // bytes that may come in all, so that no more is kept ready
}

func (g *gathered) len() int { return len(g.data) }

func (g *gathered) add(p []byte) {
	switch n := len(g.data) + len(p); {
	case n <= cap(g.data):
	case n <= smallBuffer:
		g.small = smallPool.Get().(*[smallBuffer]byte)
		g.data = g.small[:0]
	case n <= largeBuffer:
		larger := gathered{large: largePool.Get().(*[largeBuffer]byte), most: g.most}
		larger.data = append(larger.large[:0], g.data...)
		g.release()
		*g = larger
	default:
		own := append(make([]byte, 0, max(int64(n), min(2*int64(cap(g.data)), g.most))), g.data...)
		most := g.most
		g.release()
		g.data, g.most = own, most
	}
	g.data = append(g.data, p...)
}

// release gives the memory back.
func (g *gathered) release() {
	if g.small != nil {
		smallPool.Put(g.small)
	}
	if g.large != nil {
		largePool.Put(g.large)
	}
	*g = gathered{}
}
