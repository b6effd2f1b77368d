package hub

import (
	"encoding/binary"
	"time"

	"github.com/fiberwsx/wsx/ws"
)

// expiry is how long a connection that missed its heartbeat may take to close: the peer is silent, so there is no
// sense in waiting for its answer.
const expiry = 500 * time.Millisecond

// pulse is a Conn as the heartbeat sees it.
type pulse Conn

// Ping sends a ping that tells when it was sent. A connection that only answered the last one can do without a
// goroutine.
func (p *pulse) Ping(now time.Time) {
	sent := now.UnixNano()
	p.pingedAt.Store(sent)
	var payload [8]byte
	binary.BigEndian.PutUint64(payload[:], uint64(sent))
	_ = p.wire.Ping(payload[:])
	p.wire.Rest()
}

// Heard returns when the peer last gave a sign of life. While nobody reads, its silence means nothing.
func (p *pulse) Heard() time.Time {
	since, listening := p.wire.Listening()
	if !listening {
		return time.Now()
	}
	if seen := p.wire.LastSeen(); seen.After(since) {
		return seen
	}
	return since
}

// Expire closes the connection.
func (p *pulse) Expire() {
	_ = p.wire.CloseWithin(expiry, ws.StatusHeartbeatTimeout, "heartbeat timeout")
}

func (c *Conn) watch() {
	entry := c.hub.monitor.Add((*pulse)(c))
	c.mu.Lock()
	c.beat = entry
	c.mu.Unlock()
	if c.closing() {
		c.unwatch()
	}
}

func (c *Conn) unwatch() {
	c.mu.Lock()
	entry := c.beat
	c.beat = nil
	c.mu.Unlock()
	if entry != nil {
		c.hub.monitor.Remove(entry)
	}
}
