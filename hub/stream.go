package hub

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
)

// stream is the messages of one device in their order, over all its connections: the n-th has number n, from 1. A
// number is settled when its message is committed, dead-lettered or refused with a nack; what is acknowledged is the
// largest number up to which all are.
//
// Lock order: those of a connection in internal/wire, then stream.mu, then the outbox's.
type stream struct {
	hub  *Hub
	id   string
	kept bool // in the table; else it ends with its connection

	settled      atomic.Uint64 // all numbers up to it are
	settledBytes atomic.Int64  // of the messages that are, in all

	mu      sync.Mutex
	conn    *Conn  // whose messages count; nil while there is none
	epoch   uint64 // of its hello
	greeted bool   // conn has had its hello
	known   bool   // some connection has
	next    uint64 // number of the next message that is handed over
	bytes   int64  // of the messages that were handed over, in all
	early   []run  // settled, behind a number that is not
	nacks   []nack // that the client may not have got
	told    int    // how many of them were sent to conn
	again   int    // how many of those in front of its hello; 0 after its first message
	acked   uint64
	ackedAt time.Time
	covered int64         // settledBytes at that time
	waiting bool          // in the acker
	moved   chan struct{} // closed when something is settled; nil while nobody waits
	idle    time.Time     // since when there is no connection
}

// run is numbers from first to last.
type run struct{ first, last uint64 }

// claim gives numbers to messages that are handed over: from first on, if the stream is still c's. A client that sends
// has read the hello, and so the nacks in front of it, which are forgotten.
func (s *stream) claim(c *Conn, messages, bytes int) (first uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c {
		return 0, false
	}
	if s.again > 0 {
		s.forgetNacksLocked(s.again)
		s.again = 0
	}
	first = s.next
	s.next += uint64(messages)
	s.bytes += int64(bytes)
	return first, true
}

// settle notes that the messages with these numbers are settled.
func (s *stream) settle(r run, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settledBytes.Add(int64(bytes))
	settled := s.settled.Load()
	if r.first != settled+1 {
		i, _ := slices.BinarySearchFunc(s.early, r.first, func(e run, n uint64) int { return int(int64(e.first - n)) })
		s.early = slices.Insert(s.early, i, r)
		s.stirLocked()
		return
	}
	settled = r.last
	n := 0
	for ; n < len(s.early) && s.early[n].first == settled+1; n++ {
		settled = s.early[n].last
	}
	s.early = slices.Delete(s.early, 0, n)
	s.settled.Store(settled)
	s.stirLocked()
	s.acknowledgeLocked()
}

func (s *stream) stirLocked() {
	if s.moved != nil {
		close(s.moved)
		s.moved = nil
	}
}

// progress returns a channel that is closed when something is settled, or nil when ready says that nobody has to wait.
func (s *stream) progress(ready func() bool) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ready() {
		return nil
	}
	if s.moved == nil {
		s.moved = make(chan struct{})
	}
	return s.moved
}

// quietLocked reports whether nothing is unsettled.
func (s *stream) quietLocked() bool { return s.settled.Load()+1 == s.next }

// awaitQuiet waits until everything that was handed over is settled. False: the connection or the hub ends first.
func (s *stream) awaitQuiet(c *Conn) bool {
	for {
		moved := s.progress(s.quietLocked)
		if moved == nil {
			return true
		}
		select {
		case <-moved:
		case <-c.wire.Done():
			return false
		case <-s.hub.draining:
			return false
		}
	}
}

// acknowledgeLocked acknowledges what is settled: at once when the last time is long ago, or much has been settled
// since, and with the acker's next turn else.
func (s *stream) acknowledgeLocked() {
	switch settled := s.ackableLocked(); {
	case settled <= s.acked || s.conn == nil || !s.greeted:
	case s.muchLocked(settled-s.acked) || time.Since(s.ackedAt) >= ackDelay:
		s.sendAckLocked()
	default:
		s.laterLocked()
	}
}

// muchLocked reports whether so many messages, or their bytes, are enough for an ack.
func (s *stream) muchLocked(messages uint64) bool {
	return messages >= s.hub.share.messages || s.settledBytes.Load()-s.covered >= s.hub.share.bytes
}

// ackableLocked returns up to which number all is settled and, where that was by a nack, told.
func (s *stream) ackableLocked() uint64 {
	settled := s.settled.Load()
	for _, n := range s.nacks[s.told:] { // in the order in which they were refused, which need not be theirs
		settled = min(settled, n.number-1)
	}
	return settled
}

// laterLocked leaves the rest to the acker.
func (s *stream) laterLocked() {
	if !s.waiting && !s.conn.closing() {
		s.waiting = true
		s.hub.acker.Add(s)
	}
}

// sendAckLocked leaves it to the acker while the lane of control frames is full: a later one says more.
func (s *stream) sendAckLocked() {
	settled := s.ackableLocked()
	var b [64]byte
	if !s.conn.wire.Note(appendAck(b[:0], settled)) {
		s.laterLocked()
		return
	}
	s.acked, s.ackedAt, s.covered = settled, time.Now(), s.settledBytes.Load()
	s.hub.count.acks.Add(1)
}

// turn is the acker's.
func (s *stream) turn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = false
	if s.conn == nil || !s.greeted {
		return
	}
	s.tellLocked()
	if s.ackableLocked() > s.acked {
		s.sendAckLocked()
	}
}

// farewell returns the last words for a connection that is about to close: nacks that are not told, and the last ack.
func (s *stream) farewell(c *Conn) (frames []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c || !s.greeted {
		return nil
	}
	frames = s.untoldLocked()
	s.told = len(s.nacks)
	if settled := s.settled.Load(); settled > s.acked {
		s.acked = settled
		s.hub.count.acks.Add(1)
		frames = wire.AppendNote(frames, appendAck(nil, settled))
	}
	return frames
}

// sending is what a connection knows of its stream without a lock.
type sending struct {
	greeted bool
	next    uint64 // number of the first message that is not handed over
	bytes   int64  // of the stream's messages before it

	// room and roomBytes are how many messages and bytes may be read before hasRoom has to look at what is settled.
	room      int64
	roomBytes int64
}

// takes uses room for a message, and reports whether there was as much. False: ask hasRoom, which looks again.
func (s *sending) takes(size int) bool {
	s.room--
	s.roomBytes -= int64(size)
	return s.room >= 0 && s.roomBytes >= 0
}

// hasRoom reports whether one more message may be read, beyond those that are gathered. One may always, however long,
// when nothing is unsettled.
func (c *Conn) hasRoom(gathered, bytes, size int) bool {
	s, cfg := c.stream.Load(), &c.hub.cfg
	unsettled := int64(c.sending.next-1-s.settled.Load()) + int64(gathered)
	held := c.sending.bytes + int64(bytes) - s.settledBytes.Load()
	c.sending.room = left(cfg.MaxUnsettled, unsettled)
	c.sending.roomBytes = left(cfg.MaxUnsettledBytes, held)
	return c.sending.takes(size) || unsettled <= 0
}

// left returns how much of a limit is left. most is 0 when there is no limit.
func left(most int, used int64) int64 {
	if most == 0 {
		return math.MaxInt64
	}
	return int64(most) - used
}

// awaitRoom waits until one more message may be read; nothing is gathered. False: the connection or the hub ends, and
// no further message counts.
func (c *Conn) awaitRoom(size int) bool {
	c.pushLane()
	defer c.hub.paused.begin()()
	for {
		moved := c.stream.Load().progress(func() bool { return c.hasRoom(0, 0, size) })
		if moved == nil {
			return true
		}
		select {
		case <-moved:
			continue
		case <-c.wire.Done():
		case <-c.hub.draining:
		}
		c.sending.greeted = false
		return false
	}
}
