package wire

import "time"

// spell is a time in which something is done for one connection after the other, or again and again for one.
type spell struct{ since time.Time }

// mostSpell is after how long those go first whose sockets are ready. To let them costs a hundredth of that.
const mostSpell = 200 * time.Microsecond

// goOn is called between two parts of it, the second of which is for c. A spell that has not begun began with c's last
// read.
func (s *spell) goOn(c *Conn) {
	if s.since.IsZero() {
		s.since = c.readAt
	}
	if time.Since(s.since) >= mostSpell {
		c.engine.turns.Take()
		s.since = time.Now()
	}
}
