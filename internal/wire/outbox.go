package wire

import (
	"errors"
	"sync"
	"time"
)

// errFull means that the outbox is at a limit.
var errFull = errors.New("wire: outbox full")

// errStrained means that all outboxes together hold too much, and this one more than a small share of it; see
// [outbox.strainedLocked] and [budget.overruns].
var errStrained = errors.New("wire: outboxes full")

const (
	// maxControlLane is how many bytes of control frames may wait. What answers the peer then waits with its reader.
	maxControlLane = 8 << 10
	// patience is how long the socket may refuse before a full outbox counts as a slow consumer, while somebody waits
	// for it.
	patience = 50 * time.Millisecond
	// Nobody waits with a round, and it is shared: so the outbox may hold it whatever the number of messages, and for
	// roundPatience lenience times the limit in bytes, which counts as lenientBytes at least.
	roundPatience = time.Second
	lenience      = 4
	lenientBytes  = 1 << 20
)

// outbox is what a connection has yet to send. Data goes out in order and within limits; control frames have a lane of
// their own and go first; the close frame goes last, and nothing is accepted behind it.
//
// Whoever queues something writes it, as far as the socket takes it at once. What is left is written by a writer, a
// goroutine that exists only for that time.
type outbox struct {
	conn *Conn

	mu       sync.Mutex
	load     *load  // what waits; nil while nothing does
	position uint64 // how far in the log of rounds
	sealed   bool   // no more data
	broken   bool   // no more of anything
	lost     bool   // messages that were accepted were dropped with the close frame
	corked   bool   // the reader's next frames may have answers too
	watched  bool   // by Engine.corks
}

// push queues a copy of a message, compressed here if pack says so. It returns ErrClosed, errFull, errStrained or
// errDropped.
func (o *outbox) push(op Opcode, payload []byte, pack bool, m *Mark) error {
	size := headerSize(len(payload)) + len(payload)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sealed || o.broken {
		return ErrClosed
	}
	if l := o.load; l != nil {
		if l.loose.marked > 0 && !l.writing && m.Policy != PolicyClose {
			o.writeLocked() // else its place would be in a chunk with others, where nothing finds it
		}
		if err := o.admitLocked(size, m); err != nil {
			return err
		}
	}
	m.Tally.queued(1)
	o.addLocked(op, payload, pack, m)
	o.kickLocked()
	return nil
}

// addLocked puts a message at the end of the queue. One that might be dropped, and those behind it, are compressed when
// their turn comes, where that depends on what was sent before.
func (o *outbox) addLocked(op Opcode, payload []byte, pack bool, m *Mark) {
	if l := o.load; l != nil && l.writing && (m.Policy != PolicyClose || pack && l.loose.raws > 0) {
		data := AppendHeader(make([]byte, 0, headerSize(len(payload))+len(payload)), true, op, len(payload), nil)
		k := chunk{data: append(data, payload...), messages: 1, raw: pack, terms: newTerms(*m, nil)}
		k.terms.mark.Tally = nil // it has counted
		l.push(k)
		return
	}
	if pack {
		if p := o.conn.pack(payload); p != nil {
			defer p.Free()
			op, payload = op|compressed, p.data
		}
	}
	size := headerSize(len(payload)) + len(payload)
	tail := o.tailLocked(size)
	tail.messages++
	tail.data = AppendHeader(tail.data, true, op, len(payload), nil)
	tail.data = append(tail.data, payload...)
	o.load.messages++
	o.load.bytes += size
}

// pushRound queues what of r has not been queued yet, and writes it if that is wanted. It returns how many messages
// that was, and whether the outbox is at a limit now; or ErrClosed, errFull or errStrained.
func (o *outbox) pushRound(r *Round, write bool) (messages int, full bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	end := r.End()
	switch {
	case o.sealed || o.broken:
		return 0, false, ErrClosed
	case o.position >= end:
		return 0, false, nil
	}
	if messages, err = o.addRoundLocked(r); err != nil {
		return messages, true, err
	}
	o.position = end
	if write {
		o.kickLocked()
	}
	if full = o.fullLocked(1); full {
		o.load.loose.filled = true
		o.loosenLocked()
	}
	return messages, full && r.waits, nil
}

// addRoundLocked puts what has not been queued of r at the end of the queue.
func (o *outbox) addRoundLocked(r *Round) (messages int, err error) {
	if s := o.conn.parser.deflate; s != nil && s.ServerTakeover {
		return o.addEachLocked(r, true)
	}
	data, messages, marks := r.from(o.position, o.conn.shares())
	if marks != nil {
		if o.fullLocked(len(data)) {
			o.writeLocked()
		}
		if o.load != nil && o.load.writing {
			return o.addEachLocked(r, false)
		}
	}
	if err := o.roomLocked(len(data)); err != nil {
		for i := range marks {
			marks[i].Tally.dropped()
		}
		return 0, err
	}
	o.loadLocked().add(r, data, messages, marks)
	for i := range marks {
		marks[i].Tally.queued(1)
	}
	return messages, nil
}

// addEachLocked does so message by message, for a connection with context takeover or where some may be dropped.
func (o *outbox) addEachLocked(r *Round, takeover bool) (messages int, err error) {
	whole := chunk{round: r, held: r.held()}
	for frame, m := range r.since(o.position, o.conn.shares()) {
		if err == nil {
			err = o.admitSharedLocked(len(frame), &m)
		}
		switch {
		case err == errDropped: //nolint:errorlint // it is our own
			messages, err = messages+1, nil
			continue
		case err != nil:
			m.Tally.dropped()
			continue
		}
		m.Tally.queued(1)
		messages++
		switch l := o.loadLocked(); {
		case takeover:
			op, payload := unframe(frame)
			o.addLocked(op, payload, o.conn.compresses(payload), &m)
		case m.Policy == PolicyClose:
			l.add(r, frame, 1, nil)
		default:
			l.addShared(&whole, frame, m)
		}
	}
	return messages, err
}

// roomLocked returns why size more bytes of a round may not be queued: errFull, or errStrained, even if the socket
// takes something now and then. Nobody waits with rounds, so the budget would not bound them.
func (o *outbox) roomLocked(size int) error {
	if o.fullLocked(size) {
		o.writeLocked()
		if o.fullLocked(size) && !o.holdsLocked(size) {
			return errFull
		}
	}
	c := o.conn
	if o.load != nil && o.load.least() > smallShare && c.engine.outboxes.overruns(c) && !c.socket.takes() {
		return errStrained
	}
	return nil
}

// skip says that nothing before a position of the log is wanted.
func (o *outbox) skip(position uint64) {
	o.mu.Lock()
	o.position = max(o.position, position)
	o.mu.Unlock()
}

// fullLocked reports whether size more bytes pass a limit. One message always fits an empty outbox, however long.
func (o *outbox) fullLocked(size int) bool {
	if o.load == nil || o.load.messages == 0 {
		return false
	}
	most, mostBytes := o.conn.engine.OutboxMessages, o.conn.engine.OutboxBytes
	return most > 0 && o.load.messages >= most || mostBytes > 0 && o.load.bytes+size > mostBytes
}

// strainedLocked reports whether size more bytes are too many for the budget.
func (o *outbox) strainedLocked(size int) bool {
	return o.load != nil && o.load.weight > 0 && o.load.least()+size > smallShare && o.conn.engine.outboxes.strained()
}

// strains reports whether what waits is too much for the budget.
func (o *outbox) strains() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.strainedLocked(0)
}

// holdsLocked reports whether size more bytes of a round may be queued by a full outbox.
func (o *outbox) holdsLocked(size int) bool {
	bytes, most := o.load.bytes+size, max(o.conn.engine.OutboxBytes, lenientBytes)
	if n := o.conn.engine.OutboxMessages; n > 0 && o.load.loose.count/lenience >= n {
		return false
	}
	return bytes <= most || bytes <= lenience*most && o.load.writing &&
		(o.load.stuck() < roundPatience || o.conn.starves(o.load.stuck()))
}

// tailLocked returns a chunk with room for size bytes at the end of the queue.
func (o *outbox) tailLocked(size int) *chunk {
	if tail := o.loadLocked().tail(); tail != nil {
		if tail.room() >= size {
			return tail
		}
		o.writeLocked() // a full chunk has company enough
	}
	return o.loadLocked().grow(size, o.corked)
}

// pushNotes queues whole frames, under the terms of pushControl.
func (o *outbox) pushNotes(frames []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sealed || o.broken {
		return false
	}
	l := o.loadLocked()
	if len(l.control) > maxControlLane {
		return false
	}
	l.control = append(l.control, frames...)
	o.kickLocked()
	return true
}

// pushControl queues a ping or a pong. It reports ok false, and queues nothing, while the lane is full.
func (o *outbox) pushControl(op Opcode, payload []byte) (ok bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sealed || o.broken {
		return false, ErrClosed
	}
	l := o.loadLocked()
	if len(l.control) > maxControlLane {
		return false, nil
	}
	l.control = AppendHeader(l.control, true, op, len(payload), nil)
	l.control = append(l.control, payload...)
	o.kickLocked()
	return true, nil
}

// seal accepts the close frame as the last thing to be sent, and a farewell among the control frames; dropData throws
// away what waits before it, and says how many messages that were.
func (o *outbox) seal(farewell, frame []byte, dropData bool) (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sealed || o.broken {
		return 0
	}
	l := o.loadLocked()
	o.sealed, l.closing = true, frame
	l.control = append(l.control, farewell...)
	if dropData {
		dropped = l.drop()
		o.lost = dropped > 0
	}
	o.writeLocked()
	return dropped
}

// sealOnly accepts nothing more, and has no close frame.
func (o *outbox) sealOnly() {
	o.mu.Lock()
	o.sealed = true
	o.mu.Unlock()
}

// breakOff drops everything: the connection is over. It says how many messages were lost. What a writer has in hand is
// its own.
func (o *outbox) breakOff() (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.broken = true
	l := o.load
	if l == nil {
		return 0
	}
	l.control, l.closing = nil, nil
	dropped = l.drop()
	l.signal()
	o.unloadLocked()
	return dropped
}

// forget gives up what a connection that is over keeps to compress with.
func (o *outbox) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s := o.conn.parser.deflate; s != nil {
		s.Forget()
	}
}

// isFull reports whether the outbox is at a limit, and may still be emptied.
func (o *outbox) isFull() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.sealed && !o.broken && o.fullLocked(1)
}

func (o *outbox) buffered() (messages, bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.load == nil {
		return 0, 0
	}
	return o.load.messages, o.load.bytes
}

// isWhole reports whether all that was accepted has gone out, or still can.
func (o *outbox) isWhole() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.broken && !o.lost
}
