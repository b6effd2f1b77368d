package rooms

import (
	"errors"
	"slices"
	"sync"
)

// errGone means that a group has lost its last member and is not in the directory any more.
var errGone = errors.New("rooms: room gone")

// group is the members of one room, dense, so that a broadcast walks a slice.
type group[M comparable] struct {
	mu    sync.RWMutex
	index map[M]int // in list
	list  []M
	copy  []M // of list, since the last change; nil: not made yet
	gone  bool
}

func (g *group[M]) join(m M, limit int) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gone {
		return false, errGone
	}
	if _, ok := g.index[m]; ok {
		return false, nil
	}
	if limit > 0 && len(g.list) >= limit {
		return false, ErrFull
	}
	g.index[m] = len(g.list)
	g.list = append(g.list, m)
	g.copy = nil
	return true, nil
}

// leave puts the last member where m was.
func (g *group[M]) leave(m M) (left, empty bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i, ok := g.index[m]
	if !ok {
		return false, false
	}
	end := len(g.list) - 1
	last := g.list[end]
	g.list[i], g.index[last] = last, i
	var none M
	g.list[end] = none
	g.list = g.list[:end]
	delete(g.index, m)
	g.copy = nil
	g.gone = end == 0
	return true, g.gone
}

func (g *group[M]) each(yield func(M) bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for _, m := range g.list {
		if !yield(m) {
			return
		}
	}
}

// snapshot returns a copy of the members that is never written to.
func (g *group[M]) snapshot() []M {
	g.mu.RLock()
	made := g.copy
	g.mu.RUnlock()
	if made != nil {
		return made
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.copy == nil {
		g.copy = slices.Clone(g.list)
	}
	return g.copy
}

func (g *group[M]) len() int {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return len(g.list)
}

func (g *group[M]) has(m M) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	_, ok := g.index[m]
	return ok
}
