package wire

import "time"

// settle counts what has come to wait towards the budget, in as little memory as it needs. What is written at once
// never gets here.
func (l *load) settle() {
	if !l.hand.counted && l.hand.messages > 0 { // the writer has not begun with it
		if sent, ok := l.hand.shrink(l.written); ok {
			l.messages -= sent
			l.bytes -= l.written
			l.written = 0
		}
		l.count(&l.hand)
	}
	for i := len(l.queue) - 1; i >= 0 && !l.queue[i].counted; i-- {
		l.queue[i].shrink(0)
		l.count(&l.queue[i])
	}
	l.declare()
}

func (l *load) count(k *chunk) {
	k.counted = true
	l.weight += k.size()
	if b := &l.conn.engine.outboxes; k.round != nil {
		k.round.count(b, k.held)
	} else {
		b.add(k.size())
	}
}

// discount takes back what a chunk counts for.
func (l *load) discount(k *chunk) {
	b := &l.conn.engine.outboxes
	k.counted = false
	l.weight -= k.size()
	if k.round != nil {
		k.round.discount(b)
	} else {
		b.add(-k.size())
	}
}

// release gives back what a chunk holds.
func (l *load) release(k *chunk) {
	if k.counted {
		l.discount(k)
		l.declare()
	}
	k.release()
}

// What a queue counts for in bytes by itself, on 64 bits.
const (
	placeSize = 72 // each place in its array beyond many, for a chunk
	termsSize = 64 // each chunk beyond few: its terms, if it has some
)

// placesFor returns what a queue of so many chunks counts for by itself, in an array with so many places.
func placesFor(chunks, array int) int {
	return placeSize*max(0, array-many) + termsSize*max(0, chunks-few)
}

// declare tells the budget of a weight that has changed, of progress, or of a turn.
func (l *load) declare() {
	places := placesFor(l.chunks(), l.array)
	if more := places - l.places; more != 0 {
		l.places = places
		l.weight += more
		l.conn.engine.outboxes.add(more)
	}
	since := l.progress
	if !l.yielded.IsZero() {
		since = time.Time{}
	}
	l.conn.engine.outboxes.hold(l.conn, l.declared, l.weight, l.latest, since)
	l.declared = l.weight
}

// least returns what all of it counts for once its array has no more places than it needs; see [load.tighten].
func (l *load) least() int {
	n := l.chunks()
	return l.weight - l.places + placesFor(n, n)
}
