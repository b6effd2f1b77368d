package ratelimit

import "math"

// place is a key with its bucket, in a ring.
type place[K comparable] struct {
	key          K
	bucket       Bucket
	newer, older int32
}

// places are the places of all keys. They lie next to each other and know their neighbours by number, so that tens of
// thousands of them are little work for the garbage collector, which otherwise follows two pointers in each.
type places[K comparable] struct {
	chunks [][]place[K]
	len    int32
}

const (
	chunkLen   = 64
	mostPlaces = math.MaxInt32 - 1 // beside the ring's own
)

// ring is the place of no key: the ring begins after it, with the key seen last.
const ring = 0

func (p *places[K]) init() { p.add() }

// add returns a new place, which is in no ring; but the first one, in its own.
func (p *places[K]) add() int32 {
	i := p.len
	p.len++
	if i%chunkLen == 0 {
		p.chunks = append(p.chunks, make([]place[K], chunkLen))
	}
	return i
}

func (p *places[K]) at(i int32) *place[K] { return &p.chunks[i/chunkLen][i%chunkLen] }

func (p *places[K]) oldest() int32 { return p.at(ring).newer }

// link puts a place where the newest is.
func (p *places[K]) link(i int32) {
	first, k := p.at(ring), p.at(i)
	k.newer, k.older = ring, first.older
	first.older, p.at(k.older).newer = i, i
}

func (p *places[K]) unlink(i int32) {
	k := p.at(i)
	p.at(k.newer).older, p.at(k.older).newer = k.older, k.newer
}
