package wire

import "time"

const (
	// mostSpell is how long a reader works before it takes a turn, which costs a hundredth of that.
	mostSpell = 200 * time.Microsecond
	// mostLaden is how many readers may wait for a turn with more than a small buffer in hand, or with a part of a
	// message. Any more go on without one, and are done with theirs the sooner.
	mostLaden = 32
	// mostEasing is how long it takes until those are closed who strain the budget of the outboxes and are not
	// spared.
	mostEasing = strainPatience + 2*reliefInterval
	// repose is how many times as long as it has waited for others a connection does not wait for them again: strain
	// may come and go, and each time would hold up whoever sends. Where the budget overflows it is as long.
	repose = 10
)

// intake is how a reader takes in what comes without a pause: it lets others go first now and then, and reads much at
// once only while there is room for the answers.
type intake struct {
	readBuffer
	conn  *Conn
	since time.Time // when it last took a turn; zero: not yet
	full  bool      // a read has filled the buffer, so there is more, probably
	much  bool      // may be read at once
}

func newIntake(c *Conn, large bool) intake {
	return intake{conn: c, readBuffer: newReadBuffer(large && !c.engine.labours())}
}

// admit is called when n bytes have come, and before they are handled. It returns up to which length a data frame
// that is not whole stays in the buffer, where the next read completes it.
//
// When they fill the buffer there is more, and all of it may be answered with as much. So it waits until the outboxes
// have room for that, and for a turn where calls take long: many may, because they have no more than a small buffer
// each. While there is too little room or calls take long, and for a second afterwards, those that begin with much take
// turns. None is taken between the look for room and what uses it: all that wait for one would have seen the same room.
func (i *intake) admit(n int) (room int) {
	if i.full = n == len(i.space()); !i.full {
		return 0
	}
	e := i.conn.engine
	switch {
	case i.large == nil && e.sendsSlowly():
		i.takeTurn()
	case e.labours() && time.Since(i.since) >= mostSpell:
		e.readers.Piece(i.takeTurn)
	}
	if i.large == nil {
		i.outlastStrain()
	}
	if i.much = !e.outboxes.strained(); !i.much {
		return 0
	}
	return largeBuffer
}

// goOn is called when what has filled the buffer is handled, and before more is read.
func (i *intake) goOn() {
	i.tire()
	if i.much {
		i.grow()
	} else {
		i.shrink()
	}
}

// ration has the next read be a short one while the outboxes hold too much. TLS never fills a large buffer: a read
// ends with its record, at 16 KiB.
func (i *intake) ration() {
	if i.conn.engine.outboxes.strained() {
		i.shrink()
	}
}

// tire takes a turn when it is time for one. The first spell counts from the connection's last read.
func (i *intake) tire() {
	if i.since.IsZero() {
		i.since = i.conn.readAt
	}
	if time.Since(i.since) >= mostSpell {
		i.takeTurn()
	}
}

// rest is called when there is nothing more for now.
func (i *intake) rest() { i.since = time.Time{} }

// takeTurn lets others go first, unless too many do with something in hand.
func (i *intake) takeTurn() {
	e := i.conn.engine
	if i.large != nil || i.conn.parser.partial != nil {
		defer e.laden.Add(-1)
		if e.laden.Add(1) > mostLaden {
			return
		}
	}
	e.takeTurn()
	i.since = time.Now()
}

// outlastStrain waits while the outboxes hold too much, if more than a small share of that waits for this peer, or if
// their budget is used up, whoever uses it. Who has waited for as long as that can take does not wait again before
// there was room: others may hold little each, for which nobody closes them, and that for long. Nor does anybody spend
// more than a tenth of the time waiting for others, or half of it where the budget overflows.
func (i *intake) outlastStrain() {
	c, b := i.conn, &i.conn.engine.outboxes
	if !b.strained() {
		return
	}
	t, begun, patient, firm := time.NewTimer(mostEasing), c.engine.age(), c.patient, c.firm
	defer t.Stop()
	for {
		eased := b.easing()
		moved, _ := c.out.watch()
		forOthers := b.exhausted() && begun >= patient || b.overflows() && begun >= firm
		if eased == c.vain || !forOthers && !c.out.strains() {
			return
		}
		goesOn := true
		select {
		case <-eased:
		case <-moved:
		case <-c.Done():
			goesOn = false
		case <-t.C:
			c.vain, goesOn = eased, false
		}
		now := c.engine.age()
		c.engine.strainedAt.Store(now)
		if forOthers {
			c.patient, c.firm = max(c.patient, now+repose*(now-begun)), now+(now-begun)
		}
		if !goesOn {
			return
		}
		c.engine.readers.Piece(i.takeTurn) // many have been woken
	}
}
