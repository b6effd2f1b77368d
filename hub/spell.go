package hub

import "time"

const (
	// spellAlone and spellAmongOthers are how long a spell is: on one processor, and on more, where another one looks
	// for input unless all have much to do, and where a turn costs more.
	spellAlone       = 50 * time.Microsecond
	spellAmongOthers = time.Millisecond
	// receiversALook is after how many receivers the clock is looked at.
	receiversALook = 2
	// slowReceiver is more than a receiver takes unless the kernel has to find memory for what its socket takes. Then
	// a spell is over when one more would probably make it too long, and the clock is looked at after each.
	slowReceiver = 10 * time.Microsecond
	spellOfSlow  = 50 * time.Microsecond
)

// spell is how long a message has been delivered to one receiver after the other without a turn. When it is over, the
// deliverer takes one.
type spell struct {
	begun     time.Time
	most      time.Duration
	receivers int
	slow      bool // receivers were, at the last look
}

func newSpell(alone bool) spell {
	if alone {
		return spell{begun: time.Now(), most: spellAlone}
	}
	return spell{begun: time.Now(), most: spellAmongOthers}
}

// begin starts the next spell.
func (s *spell) begin() { s.begun, s.receivers = time.Now(), 0 }

// over is called after each receiver, and reports whether it is time for a turn.
func (s *spell) over() bool {
	s.receivers++
	if !s.slow && s.receivers%receiversALook != 0 {
		return false
	}
	took := time.Since(s.begun)
	s.slow = took >= time.Duration(s.receivers)*slowReceiver
	next := took / time.Duration(s.receivers)
	return took >= s.most || s.slow && took+next > spellOfSlow
}
