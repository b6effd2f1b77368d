package wire

import "time"

// spell is a time in which a connection is read again and again, because there always is more.
type spell struct{ since time.Time }

// mostSpell is after how long those go first whose sockets are ready. To let them costs a hundredth of that.
const mostSpell = 200 * time.Microsecond

// goOn is called after each read that more is expected behind.
func (s *spell) goOn(c *Conn) {
	if s.since.IsZero() {
		s.since = c.readAt
	}
	if time.Since(s.since) >= mostSpell {
		c.engine.turns.Take()
		s.since = time.Now()
	}
}
