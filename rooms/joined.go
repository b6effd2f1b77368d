package rooms

import "slices"

// joined is the groups of one member, in the order in which it joined them. Most members are in one, which then takes
// no memory of its own. The zero value is none.
type joined[K, M comparable] struct {
	first *group[K, M]
	more  *[]*group[K, M] // nil: none
}

// with returns j and g.
func (j joined[K, M]) with(g *group[K, M]) joined[K, M] {
	switch {
	case j.first == nil:
		j.first = g
	case j.more == nil:
		j.more = &[]*group[K, M]{g}
	default:
		*j.more = append(*j.more, g)
	}
	return j
}

// without returns j but for g, and whether that is none.
func (j joined[K, M]) without(g *group[K, M]) (rest joined[K, M], none bool) {
	if j.more == nil {
		if j.first == g {
			j.first = nil
		}
		return j, j.first == nil
	}
	more := *j.more
	if j.first == g {
		j.first, g = more[0], more[0]
	}
	if i := slices.Index(more, g); i >= 0 {
		*j.more = slices.Delete(more, i, i+1)
	}
	if len(*j.more) == 0 {
		j.more = nil
	}
	return j, false
}

func (j joined[K, M]) len() int {
	switch {
	case j.first == nil:
		return 0
	case j.more == nil:
		return 1
	}
	return 1 + len(*j.more)
}

// all calls yield for each group until it returns false.
func (j joined[K, M]) all(yield func(*group[K, M]) bool) {
	if j.first == nil || !yield(j.first) || j.more == nil {
		return
	}
	for _, g := range *j.more {
		if !yield(g) {
			return
		}
	}
}
