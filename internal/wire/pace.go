package wire

import (
	"sync/atomic"
	"time"
)

const (
	// leastPiece is how many bytes a socket is given at once however long that takes. A call with less is not timed.
	leastPiece = 8 << 10
	// longSend is how long a call takes that keeps others waiting: the kernel had to find memory for what it took.
	longSend = 50 * time.Microsecond
	// slowFor is how long one call counts that was not fast, when no others are timed.
	slowFor = time.Second
)

// pace is how much sockets are given at once: half as much after each call that takes long. The zero value is ready for
// use, by several goroutines at once. Times are ages of the engine.
type pace struct {
	halved atomic.Int32
	last   atomic.Int64 // when a call was not fast
}

// tell notes how long a call took, which is over now, and in which the kernel took so many bytes.
func (p *pace) tell(now int64, bytes int, took time.Duration) {
	halved := p.halved.Load()
	piece := maxWrite >> halved
	switch {
	case took >= longSend:
		p.last.Store(now)
		if piece > leastPiece {
			p.halved.CompareAndSwap(halved, halved+1)
		}
	case halved == 0:
	case took*time.Duration(4*piece) < longSend*time.Duration(bytes): // twice as much: half of it
		p.halved.CompareAndSwap(halved, halved-1)
	default:
		p.last.Store(now)
	}
}

// trySend gives a detached socket b, or a piece of it, and returns how much it took.
func (c *Conn) trySend(b []byte) int {
	if len(b) < leastPiece {
		return c.socket.tryWrite(b)
	}
	e, begun := c.engine, c.engine.age()
	n := c.socket.tryWrite(b[:min(len(b), e.piece())])
	now := e.age()
	e.pace.tell(now, n, time.Duration(now-begun))
	return n
}

// piece returns how many bytes a socket is given at once.
func (e *Engine) piece() int {
	if e.sendsSlowly() {
		return maxWrite >> e.pace.halved.Load()
	}
	return maxWrite
}

// sendsSlowly reports whether calls have taken long lately.
func (e *Engine) sendsSlowly() bool {
	if e.pace.halved.Load() == 0 {
		return false
	}
	if e.age()-e.pace.last.Load() < int64(slowFor) {
		return true
	}
	e.pace.halved.Store(0)
	return false
}

// yield takes a turn between two pieces that c's writer sends, where calls take long.
func (c *Conn) yield() {
	if c.engine.sendsSlowly() {
		c.takeTurn()
	}
}

// beforeLook takes a turn when many writers look one after the other whether their sockets take something.
func (c *Conn) beforeLook() { c.engine.writers.Piece(c.takeTurn) }

// takeTurn lets others go before c's writer, which does not wait for the socket then.
func (c *Conn) takeTurn() {
	c.out.yields(true)
	c.engine.takeTurn()
	c.out.yields(false)
}
