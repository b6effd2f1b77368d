package wire

import (
	"time"

	"github.com/fiberwsx/wsx/ws"
)

// events is a Conn as its parser sees it.
type events Conn

func (e *events) discarding() bool { return (*Conn)(e).State() != StateOpen }

func (e *events) skips(size int) bool {
	s, ok := e.handler.(Skipper)
	return ok && !e.discarding() && s.Skip(size)
}

// partOfInflating is after how many inflated bytes a reader takes a turn: one read may hold hundreds of messages that
// take much longer to inflate than to send.
const partOfInflating = 32 << 10

func (e *events) inflates() {
	if done := &e.engine.inflated; done.Load() >= partOfInflating {
		done.Store(0)
		e.engine.takeTurn()
	}
}

func (e *events) inflated(bytes int) { e.engine.inflated.Add(int64(bytes)) }

// wasteRate is how many bytes a second may be inflated for nothing for a connection; it is not read for the rest of the
// time.
const wasteRate = 4 << 20

func (e *events) wasted(bytes int) {
	if bytes += int(e.waste); bytes < smallBuffer {
		e.waste = int32(bytes)
		return
	}
	e.waste = 0
	t := time.NewTimer(time.Duration(bytes) * time.Second / wasteRate)
	defer t.Stop()
	select {
	case <-t.C:
	case <-(*Conn)(e).Done():
	}
}

func (e *events) message(t ws.MessageType, payload []byte, more, lasts bool) {
	c := (*Conn)(e)
	c.stirred = true
	if c.engine.Cork && more != c.collecting {
		c.collect(more)
	}
	c.handler.Message(t, payload, lasts)
	if !lasts {
		poison(payload)
	}
}

func (e *events) control(op Opcode, payload []byte, more bool) error {
	c := (*Conn)(e)
	switch {
	case op == OpClose:
		return c.peerClosed(payload)
	case e.discarding():
		return nil
	case !c.rate.allow(c.readAt, c.engine.ControlRate):
		return ws.CloseError{Status: ws.StatusPolicyViolation, Reason: "too many control frames"}
	case op == OpPing:
		c.collect(more) // a batch of pings costs one write
		c.answer(payload)
		c.handler.Ping(payload)
	default:
		c.handler.Pong(payload)
	}
	return nil
}

func (e *events) holds(before, bytes int, since time.Time) {
	b := &e.engine.partials
	b.add(bytes - before)
	b.hold((*Conn)(e), before, bytes, since, since)
}

// answer queues the pong of a ping. A peer that does not read its pongs is not read any more until it does.
func (c *Conn) answer(payload []byte) {
	for {
		ok, err := c.out.pushControl(OpPong, payload)
		if ok || err != nil {
			return
		}
		moved, _ := c.out.watch()
		if moved == nil {
			continue
		}
		select {
		case <-moved:
		case <-c.Done():
			return
		}
	}
}

// controlRate counts control frames in windows of a second, and forgives what came while nobody read.
type controlRate struct {
	window time.Time
	count  int
	missed time.Duration // how long nobody has read, less what has come of that time
}

const (
	// caughtUp is how long a reader waits only for a peer of which nothing is left to be read.
	caughtUp = 100 * time.Millisecond
	// mostMissed is for how long what came counts as sent in that time.
	mostMissed = time.Minute
)

// read notes that something came for which the reader has waited so long, and that nobody had read so long before.
func (r *controlRate) read(waited, deaf time.Duration) {
	if waited >= caughtUp {
		r.missed = 0
		return
	}
	r.missed = min(r.missed+deaf, mostMissed)
}

func (r *controlRate) allow(now time.Time, limit int) bool {
	if limit <= 0 {
		return true
	}
	if now.Sub(r.window) >= time.Second {
		r.window, r.count = now, 0
	}
	if r.count++; r.count <= limit {
		return true
	}
	each := time.Second / time.Duration(limit)
	if r.missed < each {
		return false
	}
	r.missed -= each
	return true
}
