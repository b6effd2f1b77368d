package hub

import (
	"time"
)

const (
	// introduction is how long a client may take to say who it is, with its first message.
	introduction = 5 * time.Second
	// maxIntroduction is the longest message in bytes until then.
	maxIntroduction = 4 << 10
)

// stranger reports whether the client has still to say who it is. Until then the connection is in no scope, cannot be
// found, and no handler hears of it.
func (c *Conn) stranger() bool { return c.login != nil && c.login.unknown.Load() }

// await lets a client say who it is.
func (c *Conn) await() {
	h := c.hub
	c.wire.LimitMessage(maxIntroduction)
	h.mu.Lock()
	if h.strangers == nil {
		h.strangers = make(map[*Conn]struct{})
	}
	h.strangers[c] = struct{}{}
	h.typed.frozen = true
	h.mu.Unlock()
	c.expireAt(time.Now().Add(introduction))
	if h.closing() {
		c.goAway()
	} else if h.Draining() {
		c.wire.Hold()
	}
}

// introduce opens the connection of a client that has said who it is. It is called by the goroutine that reads.
func (c *Conn) introduce() {
	c.login.unknown.Store(false)
	c.wire.LimitMessage(0)
	if c.hub.batches != nil {
		c.lane = c.hub.newLane(c.Subject())
	}
	defer func() {
		if c.acknowledges() && !c.closing() {
			c.attach()
		}
	}()
	c.open()
}

// everyone returns the connections there are, strangers too.
func (h *Hub) everyone() []*Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*Conn, 0, len(h.conns)+len(h.strangers))
	for _, c := range h.conns {
		all = append(all, c)
	}
	for c := range h.strangers {
		all = append(all, c)
	}
	return all
}
