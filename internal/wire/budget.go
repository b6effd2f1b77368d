package wire

import (
	"container/heap"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// smallShare is how many bytes of a budget a connection may hold whatever the others do.
	smallShare = 16 << 10
	// strainPatience is how long a connection may hold more without moving while the budget is strained.
	strainPatience = 250 * time.Millisecond
	// reliefInterval is the time between two looks at who holds what, as long as the budget is strained.
	reliefInterval = 25 * time.Millisecond
)

// budget bounds the bytes that connections hold together, of what waits for their peers. While more than half of it is
// used, those that hold the most for the longest are closed; who holds a small share is not touched, nor who moves, but
// see [budget.overruns]. When all of it is used, there is no time for close handshakes. A timer runs only while it is
// strained.
type budget struct {
	most     int                             // 0: no bound
	patience time.Duration                   // when all of it is used
	spares   func(*Conn, time.Duration) bool // who has not moved for so long for another reason; nil: nobody
	shed     func(*Conn) bool                // may spare it the close; nil: nothing can
	close    func(*Conn) error               // ErrClosed: it closes already
	used     atomic.Int64
	little   atomic.Int64 // what those hold who have no more than a small share; what they share counts for each

	mu      sync.Mutex
	holders map[*Conn]holding // of more than a small share
	held    int64             // by those of them that stay; what they share counts for each
	staying int               // how many these are
	leaving int64             // held by the others
	eased   chan struct{}     // closed when less is used; nil: nobody waits for that
	timer   *time.Timer
	armed   bool
	found   candidates // by the last look: room for those of the next one, which is the only one at a time
}

// holding is what a connection holds.
type holding struct {
	bytes int
	moved time.Time // when it last did
	since time.Time // the same, later by its turns since; zero: it does not wait for its peer
	from  time.Time // when it began to hold so much
	goes  bool      // it was told to
}

// add notes that n more bytes are held, or fewer.
func (b *budget) add(n int) {
	used, most := b.used.Add(int64(n)), int64(b.most)
	before := used - int64(n)
	switch {
	case most == 0:
	case n > 0 && b.strained():
		b.mu.Lock()
		b.armLocked()
		b.mu.Unlock()
	case before > most && used <= most, before > most/2 && used <= most/2:
		b.ease()
	}
}

// ease wakes those who wait for [budget.easing].
func (b *budget) ease() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.eased != nil {
		close(b.eased)
		b.eased = nil
	}
}

// easing returns a channel that is closed when the budget is next no longer exhausted, or no longer strained.
// Whether it is already is to be asked after the call.
func (b *budget) easing() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.eased == nil {
		b.eased = make(chan struct{})
	}
	return b.eased
}

// strained reports whether more than half is used.
func (b *budget) strained() bool { return b.most > 0 && b.used.Load() > int64(b.most)/2 }

// exhausted reports whether all is used.
func (b *budget) exhausted() bool { return b.most > 0 && b.used.Load() > int64(b.most) }

// overflows reports whether more than all and a quarter is used.
func (b *budget) overflows() bool { return b.most > 0 && b.used.Load() > int64(b.most)+int64(b.most)/4 }

// allows returns how long a connection that holds more than a small share may do so without moving.
func (b *budget) allows() time.Duration {
	if b.exhausted() {
		return b.patience
	}
	return strainPatience
}

// hold notes what c holds, when it last moved, and since when it waits. before is what it held by the last call.
func (b *budget) hold(c *Conn, before, bytes int, moved, since time.Time) {
	if b.most == 0 {
		return
	}
	b.little.Add(int64(small(bytes) - small(before)))
	if small(before) == before && small(bytes) == bytes {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.holders[c]
	b.countLocked(h, -1)
	if small(bytes) == bytes {
		delete(b.holders, c)
		return
	}
	if b.holders == nil {
		b.holders = make(map[*Conn]holding)
	}
	if h.bytes == 0 {
		h.from = time.Now()
	}
	h.bytes, h.moved, h.since = bytes, moved, since
	b.countLocked(h, 1)
	b.holders[c] = h
}

// small returns what is no more than a small share, and else nothing.
func small(bytes int) int {
	if bytes > smallShare {
		return 0
	}
	return bytes
}

// countLocked counts what was noted of one, or takes it back.
func (b *budget) countLocked(h holding, times int) {
	switch {
	case h.bytes == 0: // nothing was
	case h.goes:
		b.leaving += int64(times) * int64(h.bytes)
	default:
		b.held += int64(times) * int64(h.bytes)
		b.staying += times
	}
}

// overruns reports whether those who hold more than a small share use up all of it by themselves, and c is one of them
// for long, with as much as they have on average or more. What they share counts once there; what those share who hold
// little counts for each of these, but no more than the budget in all: with them, it may take twice the budget.
func (b *budget) overruns(c *Conn) bool {
	if !b.exhausted() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	h, holds := b.holders[c]
	most := int64(b.most)
	much := b.used.Load() - min(b.little.Load(), most) - b.leaving
	return holds && much > most && b.held > most && // rounds take more memory than what is in them
		int64(h.bytes)*int64(b.staying) >= b.held &&
		time.Since(h.from) >= strainPatience
}

// leaves notes that c was told to go for that: what it still holds is no reason for another one. Of several that are
// sent to at the same moment more may go than have to.
func (b *budget) leaves(c *Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if h, holds := b.holders[c]; holds {
		b.countLocked(h, -1)
		h.goes = true
		b.countLocked(h, 1)
		b.holders[c] = h
	}
}

func (b *budget) armLocked() {
	switch {
	case b.armed || !b.strained():
	case b.timer == nil:
		b.armed, b.timer = true, time.AfterFunc(reliefInterval, b.relieve)
	default:
		b.armed = true
		b.timer.Reset(reliefInterval)
	}
}

// relieve looks who holds what, and does so again later while the budget is strained.
func (b *budget) relieve() {
	b.closeWorst()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.armed = false
	if b.armLocked(); !b.armed {
		b.found = nil
	}
}

// closeWorst closes those who hold too much, the worst first: as many as it takes for the budget to be strained no
// more. There may be thousands, of which few have to go, each 25 ms: they are not put in order.
func (b *budget) closeWorst() {
	b.findCandidates()
	all := b.found
	heap.Init(&all)
	for over := int(b.used.Load()) - b.most/2; over > 0 && len(all) > 0; {
		if k := heap.Pop(&all).(candidate); b.relieveOf(k) {
			over -= k.bytes
		}
	}
	clear(b.found)
}

// relieveOf closes a candidate, unless it has moved or that can be spared it. One that is closing already, and still
// holds it, has had its time: it is cut off. False: nothing comes back from it, so others have to go. Who has moved is
// believed until the next look.
func (b *budget) relieveOf(k candidate) bool {
	c := k.conn
	c.engine.letOthers()
	switch {
	case b.hasMoved(k) || b.shed != nil && b.shed(c):
		return true
	case b.spares != nil && b.spares(c, time.Since(k.since)):
		return false
	}
	if err := b.close(c); errors.Is(err, ErrClosed) || b.exhausted() {
		c.Abort()
	}
	return true
}

// hasMoved reports whether a candidate has moved since it was found, because others were closed first, which takes
// time. That it lets others go meanwhile, or has done so, is no move.
func (b *budget) hasMoved(k candidate) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	h, holds := b.holders[k.conn]
	return !holds || !h.moved.Equal(k.moved)
}
