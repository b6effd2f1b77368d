package wire

import "time"

// settle counts what has come to wait towards the budget, in as little memory as it needs. What is written at once
// never gets here.
func (l *load) settle() {
	before := l.weight
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
	l.declare(before)
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

// release gives back what a chunk holds.
func (l *load) release(k *chunk) {
	if k.counted {
		before, b := l.weight, &l.conn.engine.outboxes
		l.weight -= k.size()
		if k.round != nil {
			k.round.discount(b)
		} else {
			b.add(-k.size())
		}
		l.declare(before)
	}
	k.release()
}

// What a queue counts for in bytes by itself, where it has an array of its own, on 64 bits.
const (
	placeSize = 72 // each place in the array, for a chunk
	termsSize = 64 // each chunk: its terms, if it has some
)

// declare tells the budget of a weight that has changed, of progress, or of a turn.
func (l *load) declare(before int) {
	places := placeSize*max(0, l.room-many) + termsSize*max(0, len(l.queue)-l.loose.gone-few)
	if more := places - l.places; more != 0 {
		l.places = places
		l.weight += more
		l.conn.engine.outboxes.add(more)
	}
	since := l.progress
	if !l.yielded.IsZero() {
		since = time.Time{}
	}
	l.conn.engine.outboxes.hold(l.conn, before, l.weight, l.latest, since)
}
