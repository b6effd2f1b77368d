package rooms

import (
	"errors"
	"iter"
	"slices"
	"sync"
)

// errGone means that a group has lost its last member and is not in the directory any more.
var errGone = errors.New("rooms: room gone")

// group is the members of one room, dense, so that a broadcast walks a slice. Its methods take the hash of a member
// beside it.
type group[K, M comparable] struct {
	room   K
	mu     sync.RWMutex
	list   []M
	index  *index[M] // of list; nil while that is short
	shared bool      // list up to its present length is somebody's snapshot: it is appended to, but not written to
	gone   bool
	walk   iter.Seq[M] // over list as it is; nil: not made since the last change
}

func (g *group[K, M]) join(m M, hash hash[M], limit int) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gone {
		return false, errGone
	}
	if g.index.find(g.list, m, hash) >= 0 {
		return false, nil
	}
	if limit > 0 && len(g.list) >= limit {
		return false, ErrFull
	}
	g.list, g.walk = append(g.list, m), nil
	g.index = g.index.added(g.list, hash)
	return true, nil
}

// leave puts the last member where m was. It copies the list when that is somebody's snapshot.
func (g *group[K, M]) leave(m M, hash hash[M]) (left, empty bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := g.index.find(g.list, m, hash)
	if i < 0 {
		return false, false
	}
	if g.shared {
		g.list, g.shared = slices.Clone(g.list), false
	}
	g.index.remove(g.list, i, hash)
	end := len(g.list) - 1
	clear(g.list[end:])
	g.list, g.walk = g.list[:end], nil
	if cap(g.list) > 4*max(end, shortest) { // a room that was large gives the memory back
		g.list = slices.Clone(g.list)
		g.index = newIndex(g.list, hash)
	}
	g.gone = end == 0
	return true, g.gone
}

func (g *group[K, M]) each(yield func(M) bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for _, m := range g.list {
		if !yield(m) {
			return
		}
	}
}

// snapshot returns the members in a slice that is never written to.
func (g *group[K, M]) snapshot() []M {
	g.mu.RLock()
	list, shared := g.list, g.shared
	g.mu.RUnlock()
	if !shared {
		g.mu.Lock()
		list, g.shared = g.list, true
		g.mu.Unlock()
	}
	return slices.Clip(list)
}

// members returns a sequence over the snapshot, the same one until the next change.
func (g *group[K, M]) members() iter.Seq[M] {
	g.mu.RLock()
	walk := g.walk
	g.mu.RUnlock()
	if walk != nil {
		return walk
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.walk == nil {
		g.shared = true
		g.walk = slices.Values(slices.Clip(g.list))
	}
	return g.walk
}

func (g *group[K, M]) len() int {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return len(g.list)
}

func (g *group[K, M]) has(m M, hash hash[M]) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.index.find(g.list, m, hash) >= 0
}
