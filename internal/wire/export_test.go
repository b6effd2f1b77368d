package wire

import "time"

// NewRoundAlone returns an empty round that was none before: it keeps no more memory than its messages need.
func NewRoundAlone(start uint64) *Round {
	r := &Round{start: start}
	r.retain()
	return r
}

// Throttled gives c, which nobody reads yet, a detached socket of which send is all: it returns how much was taken.
func Throttled(c *Conn, send func(p []byte) int) {
	c.socket, c.detached = throttled{c.socket, send}, true
}

// Takes reports what the socket of c says: whether it takes something at once.
func Takes(c *Conn) bool { return c.socket.takes() }

// Reads reports what the socket of c says: whether its peer has acknowledged something lately.
func Reads(c *Conn) bool { return c.socket.reads() }

// Willing has the socket of c, which nobody reads yet, say whether it takes something.
func Willing(c *Conn, takes func() bool) { c.socket = willing{c.socket, takes} }

type willing struct {
	transport
	says func() bool
}

func (w willing) takes() bool { return w.says() }

// Acknowledging has the socket of c, which nobody reads yet, say whether its peer has acknowledged something.
func Acknowledging(c *Conn, reads func() bool) { c.socket = acknowledging{c.socket, reads} }

type acknowledging struct {
	transport
	says func() bool
}

func (a acknowledging) reads() bool { return a.says() }

// SetTurn replaces what takes a turn.
func SetTurn(e *Engine, take func()) { e.takeTurn = take }

type throttled struct {
	transport
	send func(p []byte) int
}

func (t throttled) tryWrite(p []byte) int { return t.send(p) }

// Yields has c's writer let others go first, or go on, and returns for how long it has waited for the socket.
func Yields(c *Conn, on bool) (stuck time.Duration) {
	c.out.yields(on)
	return Stuck(c)
}

// Look does what c's writer does before it looks whether its socket takes something.
func Look(c *Conn) { c.beforeLook() }

// Stuck returns for how long c's writer has waited for the socket.
func Stuck(c *Conn) time.Duration {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.load.stuck()
}

// Weight returns what waits in c's outbox counts for.
func Weight(c *Conn) int {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	return c.out.load.weight
}
