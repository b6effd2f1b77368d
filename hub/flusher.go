package hub

import (
	"slices"
	"time"
)

const (
	// spellAlone and spellAmongOthers are for how long a flusher delivers before those go first whose sockets are
	// ready: on one processor, and on more, where somebody else looks for these unless all have much to do, and where
	// it costs more to let them. It looks at the clock after so many receivers.
	spellAlone       = 100 * time.Microsecond
	spellAmongOthers = time.Millisecond
	receiversALook   = 2
)

// flush delivers rounds until there is none left.
func (s *shard) flush() {
	defer s.flusher.Done()
	for {
		d, ok := s.next()
		if !ok {
			return
		}
		s.deliver(d)
		s.delivered(d)
	}
}

// next returns the oldest delivery, which grows no more.
func (s *shard) next() (d delivery, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.head == len(s.log) {
		s.log, s.head = s.log[:0], 0
		s.flushing = false
		s.busy.Store(false)
		return d, false
	}
	s.log[s.head].closed = true
	return s.log[s.head], true
}

func (s *shard) deliver(d delivery) {
	to := d.list
	if to == nil {
		to = s.members.Snapshot(d.to)
	}
	spell, sent, begun := s.spell(), 0, time.Now()
	for i, c := range to {
		if i%receiversALook == receiversALook-1 && time.Since(begun) >= spell {
			s.hub.turns.Take()
			begun = time.Now()
		}
		if d.list == nil && !d.to.reaches(c) {
			continue
		}
		n, full, err := c.wire.SendRound(d.round)
		sent += n
		if full && err == nil {
			s.notice(c)
		}
	}
	s.hub.count.out.Add(uint64(sent))
}

// spell returns for how long is delivered before others have their turn.
func (s *shard) spell() time.Duration {
	if len(s.hub.shards) == 1 {
		return spellAlone
	}
	return spellAmongOthers
}

// delivered takes a delivery off the log.
func (s *shard) delivered(d delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.list != nil {
		s.lists--
	} else if s.pending[d.to] == d.round.End() {
		delete(s.pending, d.to)
	}
	s.given = d.round.End()
	s.waiting -= d.round.Len() + d.cost()
	s.log[s.head] = delivery{}
	if s.head++; s.head > len(s.log)/2 {
		s.log, s.head = slices.Delete(s.log, 0, s.head), 0
	}
	s.space.Broadcast()
	d.round.Release()
}
