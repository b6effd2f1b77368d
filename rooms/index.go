package rooms

import (
	"hash/maphash"
	"slices"
)

// shortest is up to how many members a list has no index: looking at all is as fast.
const shortest = 8

// hash is what hashes members.
type hash[M comparable] struct{ seed maphash.Seed }

func (h hash[M]) of(m M) uint64 { return maphash.Comparable(h.seed, m) }

// index finds members in the list of a group: a table of hashes with open addressing and linear probing. It takes a
// third of what a map would. A nil index is that of a short list.
type index[M comparable] struct {
	slots []uint32 // a place in the list and 1; 0: none. Their number is a power of 2.
}

// newIndex returns the index of a list, with room for as many again.
func newIndex[M comparable](list []M, hash hash[M]) *index[M] {
	if len(list) <= shortest {
		return nil
	}
	size := 2 * shortest
	for size < 2*len(list) {
		size *= 2
	}
	x := &index[M]{slots: make([]uint32, size)}
	for place, m := range list {
		x.insert(m, place, hash)
	}
	return x
}

// find returns the place of m in the list; -1 when it is not there.
func (x *index[M]) find(list []M, m M, hash hash[M]) int {
	if x == nil {
		return slices.Index(list, m)
	}
	for i := x.home(m, hash); x.slots[i] != 0; i = x.after(i) {
		if place := int(x.slots[i] - 1); list[place] == m {
			return place
		}
	}
	return -1
}

// added returns the index of the list, which has one more member at its end than x knows of.
func (x *index[M]) added(list []M, hash hash[M]) *index[M] {
	if x == nil || 8*len(list) > 5*len(x.slots) {
		return newIndex(list, hash)
	}
	end := len(list) - 1
	x.insert(list[end], end, hash)
	return x
}

func (x *index[M]) insert(m M, place int, hash hash[M]) {
	i := x.home(m, hash)
	for x.slots[i] != 0 {
		i = x.after(i)
	}
	x.slots[i] = uint32(place + 1)
}

// remove puts the last member of the list in the place of the one there, and forgets that. The list is the caller's to
// shorten.
func (x *index[M]) remove(list []M, place int, hash hash[M]) {
	end := len(list) - 1
	if x == nil {
		list[place] = list[end]
		return
	}
	hole, last := x.slot(list, place, hash), x.slot(list, end, hash)
	x.slots[last] = uint32(place + 1)
	list[place] = list[end]
	// Whoever lies after the hole, but is looked for from before it, moves into it.
	mask := len(x.slots) - 1
	for i := x.after(hole); x.slots[i] != 0; i = x.after(i) {
		home := x.home(list[x.slots[i]-1], hash)
		if (i-home)&mask >= (i-hole)&mask {
			x.slots[hole] = x.slots[i]
			hole = i
		}
	}
	x.slots[hole] = 0
}

// slot returns where the index holds a place.
func (x *index[M]) slot(list []M, place int, hash hash[M]) int {
	for i := x.home(list[place], hash); x.slots[i] != 0; i = x.after(i) {
		if x.slots[i] == uint32(place+1) {
			return i
		}
	}
	return slices.Index(x.slots, uint32(place+1)) // what does not equal itself, like NaN, hashes to anything
}

// home is where the search for m begins.
func (x *index[M]) home(m M, hash hash[M]) int { return int(hash.of(m)) & (len(x.slots) - 1) }

func (x *index[M]) after(slot int) int { return (slot + 1) & (len(x.slots) - 1) }
