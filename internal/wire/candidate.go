package wire

import "time"

// candidate is a connection that the budget may close.
type candidate struct {
	conn  *Conn
	bytes int // come back when it is closed
	moved time.Time
	since time.Time
	worth float64 // bytes times the seconds for which it has not moved
}

// candidates are a [heap.Interface], the worst first.
type candidates []candidate

func (all candidates) Len() int           { return len(all) }
func (all candidates) Less(i, j int) bool { return all[i].worth > all[j].worth }
func (all candidates) Swap(i, j int)      { all[i], all[j] = all[j], all[i] }
func (all *candidates) Push(k any)        { *all = append(*all, k.(candidate)) }

func (all *candidates) Pop() any {
	last := len(*all) - 1
	k := (*all)[last]
	*all = (*all)[:last]
	return k
}

// findCandidates finds those who have not moved for longer than they may.
func (b *budget) findCandidates() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, allowed := time.Now(), b.allows()
	b.found = b.found[:0]
	for c, h := range b.holders {
		if still := now.Sub(h.since); still >= allowed && !h.since.IsZero() {
			b.found = append(b.found, candidate{c, h.bytes, h.moved, h.since, float64(h.bytes) * still.Seconds()})
		}
	}
}
