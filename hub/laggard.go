package hub

import (
	"slices"
	"time"
)

// laggard is a connection whose outbox was full. Until its time is up, senders wait for it a little.
type laggard struct {
	conn  *Conn
	until time.Time
}

// indulgence is how long senders wait for a connection from the moment that its outbox is full until it is not. So a
// loop of broadcasts does not outrun a client that reads, and a client that reads slowly holds nobody up for longer.
const indulgence = 50 * time.Millisecond

// notice writes a connection down whose outbox is full.
func (s *shard) notice(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.lags {
		c.lags = true
		s.slow = append(s.slow, laggard{conn: c, until: time.Now().Add(indulgence)})
		s.lagging.Store(true)
	}
}

// forgetLocked forgets a connection that is over.
func (s *shard) forgetLocked(c *Conn) {
	if c.lags {
		s.slow = slices.DeleteFunc(s.slow, func(l laggard) bool { return l.conn == c })
		c.lags = false
	}
}

// pace waits for laggards whose time is not up.
func (s *shard) pace() {
	for s.lagging.Load() {
		l, ok := s.laggard()
		if !ok {
			return
		}
		l.conn.wire.AwaitProgress(l.until)
	}
}

// laggard returns a laggard whose time is not up, and forgets those that have caught up.
func (s *shard) laggard() (l laggard, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = slices.DeleteFunc(s.slow, func(l laggard) bool {
		l.conn.lags = l.conn.wire.Full()
		return !l.conn.lags
	})
	s.lagging.Store(len(s.slow) > 0)
	now := time.Now()
	for _, l := range s.slow {
		if l.until.After(now) {
			return l, true
		}
	}
	return l, false
}
