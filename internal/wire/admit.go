package wire

import (
	"slices"
	"sync/atomic"
)

// admitLocked sees to it that there is room for a message of so many bytes: the socket is given what it takes, and what
// may be dropped is. The error is errFull, errStrained, or errDropped when the message itself was dropped.
func (o *outbox) admitLocked(size int, m *Mark) error {
	if m.Policy == PolicyConflate {
		o.conflateLocked(m)
	}
	if !o.fullLocked(size) && !o.strainedLocked(size) {
		return nil
	}
	o.writeLocked()  // what waits may only wait for company
	o.loosenLocked() // which may be room enough
	for o.fullLocked(size) || o.strainedLocked(size) {
		o.load.loose.filled = true
		switch {
		case o.evictLocked(m):
		case m.drops():
			o.droppedLocked(m)
			return errDropped
		case o.fullLocked(size):
			return errFull
		default:
			return errStrained
		}
	}
	return nil
}

// admitSharedLocked is admitLocked for a message of a round. A message that may not be dropped has more room there; see
// roomLocked.
func (o *outbox) admitSharedLocked(size int, m *Mark) error {
	if m.drops() {
		return o.admitLocked(size, m)
	}
	if m.Policy == PolicyConflate {
		o.conflateLocked(m)
	}
	if o.roomLocked(size) == nil {
		return nil
	}
	o.loosenLocked() // which may be room enough
	for {
		if err := o.roomLocked(size); err == nil || !o.evictLocked(m) {
			return err
		}
	}
}

// conflateLocked parts what waits of rounds, once there is a writer, and takes the message with the same key out of the
// queue.
func (o *outbox) conflateLocked(m *Mark) {
	o.loosenLocked()
	if o.load != nil && o.load.conflate(m.Key) {
		m.Tally.displaced()
		add(o.conn.engine.Conflated)
	}
}

// evictLocked drops the oldest message that may be dropped for others, for one with mark m. False: there is none.
func (o *outbox) evictLocked(m *Mark) bool {
	if !o.load.dropOldest() {
		return false
	}
	m.Tally.displaced()
	add(o.conn.engine.Shed)
	return true
}

func (o *outbox) droppedLocked(m *Mark) {
	m.Tally.dropped()
	add(o.conn.engine.Shed)
}

// shed drops what may be dropped until the rest is a small share of the budget. False: it is not, and nothing was
// dropped. What is in hand alone is judged at the next look, if the budget is strained even then.
func (o *outbox) shed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.load == nil || !o.load.writing {
		return true
	}
	o.loosenLocked()
	if o.load.weight > smallShare {
		defer o.load.tighten()
	}
	for dropped := false; o.load.least() > smallShare; dropped = true {
		if !o.load.dropOldest() && !o.load.dropNewest() {
			return dropped
		}
		o.load.loose.filled = true
		o.load.signal()
		add(o.conn.engine.Shed)
	}
	return true
}

// loosenLocked parts what waits of rounds into messages that can be dropped, under the terms of each. A round that goes
// out at once never gets here. All of them count: they have come before there was a writer.
func (o *outbox) loosenLocked() {
	l := o.load
	if l == nil || l.loose.marked == 0 || !l.writing {
		return
	}
	old := slices.Clone(l.queue)
	l.house(nil, few)
	l.reindex()
	for i := range old { // what lies behind a message does not count when it is admitted once more below
		k := &old[i]
		l.messages -= k.messages
		l.bytes -= len(k.data)
		if k.marked() {
			l.discount(k)
		} else if k.counted {
			l.weight -= k.size()
		}
	}
	for i := range old {
		switch k := &old[i]; {
		case k.data == nil:
		case k.marked():
			o.partLocked(k)
		default:
			if k.counted {
				l.weight += k.size()
			}
			l.push(*k)
		}
	}
	l.fit()
	l.declare()
}

// partLocked queues the messages of a marked chunk one by one.
func (o *outbox) partLocked(k *chunk) {
	rest := k.data
	for i := range k.terms.marks {
		m := &k.terms.marks[i]
		n := frameLen(rest)
		if o.admitSharedLocked(n, m) == errDropped { //nolint:errorlint // it is our own
			m.Tally.queued(-1)
		} else {
			o.load.addShared(k, rest[:n], *m)
			o.load.count(o.load.tail())
		}
		rest = rest[n:]
	}
	o.load.release(k)
}

// addShared queues a message that lies in a chunk of a round, by reference unless it is short or keeps much more memory
// than its length.
func (l *load) addShared(from *chunk, frame []byte, m Mark) {
	k := chunk{data: frame, messages: 1, round: from.round, held: from.held}
	if len(frame) < shareFrom || from.held > 4*len(frame) {
		k.data, k.round, k.held = append(make([]byte, 0, len(frame)), frame...), nil, 0
	} else {
		k.round.retain()
	}
	if m.Policy != PolicyClose {
		m.Tally = nil // it has counted
		k.terms = newTerms(m, nil)
	}
	l.push(k)
}

func add(n *atomic.Uint64) {
	if n != nil {
		n.Add(1)
	}
}
