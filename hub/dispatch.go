package hub

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/fiberwsx/wsx/ws"
)

// events is a Conn as its engine sees it. All but Closing is called by the goroutine that reads.
type events Conn

// Message hands a message to the handler, if the rate allows it.
func (e *events) Message(t ws.MessageType, payload []byte, lasts bool) {
	c := (*Conn)(e)
	if c.straight {
		c.gather(Message{Type: t, Data: payload}, lasts)
		return
	}
	if c.login != nil && c.takeToken(t, payload) {
		return
	}
	if c.hub.cfg.IdleTimeout > 0 {
		defer func() { c.stirred.Store(time.Now().UnixNano()) }() // when the handler has returned
	}
	if !c.withinRate(len(payload)) {
		c.drop(len(payload))
		return
	}
	if c.lane == nil { // what goes to the batch is counted there
		c.hub.count.in.Add(1)
	}
	m := Message{Type: t, Data: payload}
	if c.hub.cfg.Immutable {
		m = m.Clone()
	}
	switch {
	case c.inbox != nil:
		c.inbox.push(c, m)
	case c.lane != nil:
		if c.fits(m) {
			c.gather(m, lasts || c.hub.cfg.Immutable)
		}
	default:
		c.handle(m)
	}
}

// Skip drops a compressed message that is over the connection's rate before it costs what it takes to inflate it.
func (e *events) Skip(size int) bool {
	c := (*Conn)(e)
	if c.hub.cfg.Rate == 0 || c.hub.cfg.OverRate == Pause || c.stranger() {
		return false
	}
	wait := c.bucket.RetryAfter(c.wire.ReadAt(), c.hub.rate)
	if wait == 0 || c.mayBeToken() {
		return false
	}
	if c.hub.cfg.IdleTimeout > 0 {
		c.stirred.Store(time.Now().UnixNano())
	}
	c.overRate(wait)
	c.drop(size)
	return true
}

// drop counts a message that is not handled, and says so to who waits for its ack.
func (c *Conn) drop(size int) {
	c.hub.count.in.Add(1)
	if c.stream.Load() != nil {
		c.skip(size, nackRate, true)
	}
}

// straight reports whether nothing in the hub's configuration comes between a message and its batch.
func (h *Hub) straight() bool {
	return h.cfg.Rate == 0 && h.cfg.IdleTimeout == 0 && !h.cfg.Immutable && h.typed.batched == nil
}

// Pause hands over what was gathered.
func (e *events) Pause() {
	if e.gathered != nil {
		(*Conn)(e).handOver()
	}
}

// Ping calls OnPing.
func (e *events) Ping(payload []byte) { (*Conn)(e).control("OnPing", e.hub.cfg.OnPing, payload) }

// Pong measures the round trip, if it is the heartbeat's, and calls OnPong.
func (e *events) Pong(payload []byte) {
	c := (*Conn)(e)
	if len(payload) == 8 {
		sent := int64(binary.BigEndian.Uint64(payload))
		if sent != 0 && c.pingedAt.CompareAndSwap(sent, 0) {
			c.rtt.Store(max(1, time.Now().UnixNano()-sent))
		}
	}
	c.control("OnPong", c.hub.cfg.OnPong, payload)
}

// Closing ends what depends on the connection. It is called from any goroutine.
func (e *events) Closing() {
	c := (*Conn)(e)
	c.mu.Lock()
	cancel := c.cancel
	c.mu.Unlock()
	if cancel != nil {
		cancel(c.cause())
	}
	c.unwatch()
	c.endAge()
	if c.login != nil {
		c.hub.expiries.remove(c.login)
	}
}

// Drained calls OnDrain, once more for what happened while that ran.
func (e *events) Drained() {
	c := (*Conn)(e)
	if c.hub.cfg.OnDrain == nil || c.drains.Add(1) > 1 {
		return
	}
	for done := int32(1); ; {
		_ = c.guard("OnDrain", func() error {
			c.hub.cfg.OnDrain(c)
			return nil
		})
		n := c.drains.Load()
		if n == done && c.drains.CompareAndSwap(n, 0) {
			return
		}
		done = n
	}
}

// Farewell returns the last nacks and the last ack.
func (e *events) Farewell() []byte {
	s := e.stream.Load()
	if s == nil {
		return nil
	}
	return s.farewell((*Conn)(e))
}

// Ended tells everybody that the connection is over. Every step is deferred, because each may end the goroutine.
func (e *events) Ended() {
	c := (*Conn)(e)
	defer c.over()
	defer c.tellClosed()
	c.leaveAll()
}

func (c *Conn) control(name string, f func(*Conn, []byte), payload []byte) {
	if f == nil || c.stranger() {
		return
	}
	(*events)(c).Pause() // f may end the goroutine
	_ = c.guard(name, func() error {
		f(c, payload)
		return nil
	})
}

// withinRate charges a message of so many bytes to the connection's rate and quotas. False: the message is not to be
// handled.
func (c *Conn) withinRate(size int) bool {
	at, wait := c.levy(c.wire.ReadAt(), size, byRate)
	switch {
	case at == charged:
		return true
	case c.hub.cfg.OverRate == Pause:
		return c.pause(size, at, wait)
	default:
		c.overRate(wait)
		return false
	}
}

// overRate does what is due for a message that is not handled.
func (c *Conn) overRate(wait time.Duration) {
	c.hub.count.rateLimited.Add(1)
	switch {
	case c.hub.cfg.OverRate == CloseOver:
		_ = c.Close(ws.StatusRateLimited, "rate limited")
	case c.stream.Load() == nil: // else the nack says it
		c.notify(wait)
	}
}

// pause waits until the limits allow the message. A shutdown ends the waiting: what was read is handled.
func (c *Conn) pause(size int, at stage, wait time.Duration) bool {
	(*events)(c).Pause()
	for {
		t := time.NewTimer(max(time.Millisecond, wait))
		select {
		case <-t.C:
			if at, wait = c.levy(time.Now(), size, at); at == charged {
				return true
			}
		case <-c.hub.draining:
			t.Stop()
			return true
		case <-c.wire.Done():
			t.Stop()
			return false
		}
	}
}

// notify tells the client of its rate, at most once a second.
func (c *Conn) notify(wait time.Duration) {
	now := time.Now()
	if now.Sub(c.notified) < time.Second {
		return
	}
	c.notified = now
	ms := (wait + time.Millisecond - 1) / time.Millisecond
	_ = c.SendText(fmt.Sprintf(`{"type":"error","code":"rate_limited","retry_after_ms":%d}`, ms))
}
