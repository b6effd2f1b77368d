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
)

// pace is how much sockets are given at once: half as much after each call that takes long. The zero value is ready for
// use, by several goroutines at once.
type pace struct{ halved atomic.Int32 }

// piece returns how many bytes a socket is given at once.
func (p *pace) piece() int { return maxWrite >> p.halved.Load() }

// slow reports whether calls have taken long lately.
func (p *pace) slow() bool { return p.halved.Load() > 0 }

// tell notes how long a call took in which the kernel took so many bytes.
func (p *pace) tell(bytes int, took time.Duration) {
	halved := p.halved.Load()
	piece := maxWrite >> halved
	switch {
	case took >= longSend:
		if piece > leastPiece {
			p.halved.CompareAndSwap(halved, halved+1)
		}
	case halved > 0 && took*time.Duration(2*piece) < longSend*time.Duration(bytes): // twice a piece would not take long either
		p.halved.CompareAndSwap(halved, halved-1)
	}
}

// trySend gives a detached socket b, or a piece of it, and returns how much it took.
func (c *Conn) trySend(b []byte) int {
	if len(b) < leastPiece {
		return c.socket.tryWrite(b)
	}
	pace, begun := &c.engine.pace, time.Now()
	n := c.socket.tryWrite(b[:min(len(b), pace.piece())])
	pace.tell(n, time.Since(begun))
	return n
}

// letOthers takes a turn between two pieces, where calls take long. No lock may be held.
func (c *Conn) letOthers() {
	if c.engine.pace.slow() {
		c.engine.turns.Take()
	}
}

// letOthersBefore takes a turn before c reads and handles much, which may be answered with as much. Many may wait for
// one: they have no more than a small buffer each.
func (c *Conn) letOthersBefore(b *readBuffer) {
	if b.large == nil {
		c.letOthers()
	}
}
