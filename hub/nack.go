package hub

import (
	"slices"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// nack is what a client is told of a message that is not taken.
type nack struct {
	number uint64
	code   string
	retry  bool
}

// mostNacks is how many nacks a stream keeps at least.
const mostNacks = 1000

// nacksKept returns how many nacks a stream keeps for a client that did not get them because its connection ended: as
// many as a window may hold, if that is more than mostNacks.
func (c *Config) nacksKept() int { return max(mostNacks, c.MaxUnsettled) }

// refuse tells the client that a message is not taken, and whether it may send it again; now, or over a later
// connection. A client that does not read what it is told is a slow consumer.
func (s *stream) refuse(number uint64, code string, retry bool) {
	s.mu.Lock()
	s.hub.count.nacks.Add(1)
	most := s.hub.cfg.nacksKept()
	if over := len(s.nacks) - most; over > 0 && s.told > over { // a whole window has been told since
		s.forgetNacksLocked(over)
	}
	s.nacks = append(s.nacks, nack{number, code, retry})
	var slow *Conn
	if s.conn != nil && s.greeted {
		s.tellLocked()
		if len(s.nacks)-s.told > most {
			slow = s.conn
		}
	}
	s.mu.Unlock()
	if slow != nil {
		_ = slow.Close(ws.StatusSlowConsumer, "nacks are not read")
	}
}

// forgetNacksLocked forgets the first n nacks, which have been told.
func (s *stream) forgetNacksLocked(n int) {
	s.nacks = slices.Delete(s.nacks, 0, n)
	s.told -= n
}

// tellLocked sends the nacks that are not told.
func (s *stream) tellLocked() {
	if s.told == len(s.nacks) {
		return
	}
	if !s.conn.wire.Notes(s.untoldLocked()) {
		s.laterLocked()
		return
	}
	s.told = len(s.nacks)
}

func (s *stream) untoldLocked() (frames []byte) {
	for _, n := range s.nacks[s.told:] {
		frames = wire.AppendNote(frames, appendNack(nil, n.number, n.code, n.retry))
	}
	return frames
}
