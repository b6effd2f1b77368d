package wire

// Throttled gives c, which nobody reads yet, a detached socket of which send is all: it returns how much was taken.
func Throttled(c *Conn, send func(p []byte) int) {
	c.socket, c.detached = throttled{c.socket, send}, true
}

// SetTurn replaces what takes a turn.
func SetTurn(e *Engine, take func()) { e.takeTurn = take }

type throttled struct {
	transport
	send func(p []byte) int
}

func (t throttled) tryWrite(p []byte) int { return t.send(p) }
