package hub

import "slices"

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

// deliver queues what a delivery's receivers have not had yet, and has each write what its socket takes at once.
func (s *shard) deliver(d delivery) {
	to := d.list
	if to == nil {
		to = s.members.Snapshot(d.to)
	}
	sent, spell := 0, newSpell(len(s.hub.shards) == 1)
	for _, c := range to {
		if d.list == nil && !d.to.reaches(c) {
			continue
		}
		n, full, err := c.wire.SendRound(d.round)
		sent += n
		if full && err == nil {
			s.notice(c)
		}
		if spell.over() {
			s.hub.turns.Take()
			spell.begin()
		}
	}
	s.hub.count.out.Add(uint64(sent))
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
	s.waiting.Add(-int64(d.round.Len() + d.cost()))
	s.log[s.head] = delivery{}
	if s.head++; s.head > len(s.log)/2 {
		s.log, s.head = slices.Delete(s.log, 0, s.head), 0
	}
	s.space.Broadcast()
	d.round.Release()
}
