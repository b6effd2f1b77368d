package wire

import "time"

// spell is how long a goroutine has worked without a turn, again and again for one connection. The zero value has not
// begun.
type spell struct{ since time.Time }

// mostSpell is how long a spell lasts before the goroutine takes a turn, which costs a hundredth of that.
const mostSpell = 200 * time.Microsecond

// goOn is called between two parts of the work for c, and takes a turn when it is time. A spell that has not begun
// counts from c's last read.
func (s *spell) goOn(c *Conn) {
	if s.since.IsZero() {
		s.since = c.readAt
	}
	if time.Since(s.since) >= mostSpell {
		c.engine.takeTurn()
		s.since = time.Now()
	}
}
