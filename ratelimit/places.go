package ratelimit

import "math"

// place is a key with its bucket, and its neighbours in the ring.
type place[K comparable] struct {
	key          K
	bucket       Bucket
	newer, older int32
}

// places are the places of all keys, in a ring from the key seen last to the one seen longest ago. They lie in chunks
// and know each other by number: in tens of thousands of them the garbage collector would follow two pointers each.
type places[K comparable] struct {
	chunks [][]place[K]
	len    int32
}

const (
	chunkLen   = 64
	mostPlaces = math.MaxInt32 - 1 // besides ring
)

// ring is the number of the place that has no key, where the ring begins and ends.
const ring = 0

func (p *places[K]) init() { p.add() }

// add returns the number of a new place, which is not in the ring yet. The first one is the ring.
func (p *places[K]) add() int32 {
	i := p.len
	p.len++
	if i%chunkLen == 0 {
		p.chunks = append(p.chunks, make([]place[K], chunkLen))
	}
	return i
}

func (p *places[K]) at(i int32) *place[K] { return &p.chunks[i/chunkLen][i%chunkLen] }

// oldest returns the place of the key seen longest ago; ring when there is none.
func (p *places[K]) oldest() int32 { return p.at(ring).newer }

// link puts a place into the ring, as that of the key seen last.
func (p *places[K]) link(i int32) {
	first, k := p.at(ring), p.at(i)
	k.newer, k.older = ring, first.older
	first.older, p.at(k.older).newer = i, i
}

func (p *places[K]) unlink(i int32) {
	k := p.at(i)
	p.at(k.newer).older, p.at(k.older).newer = k.older, k.newer
}
