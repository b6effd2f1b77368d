package hub

import (
	"context"
	"errors"
	"hash/maphash"
	"time"

	"github.com/fiberwsx/wsx/batch"
)

// newLane returns where the messages of a connection go. A subject always has the same lane, so that its messages stay
// in order over reconnects and retries.
func (h *Hub) newLane(subject string) *batch.Lane[entry] {
	switch {
	case h.cfg.BatchPer == PerConn:
		return h.batches.NewLane()
	case subject != "":
		return h.batches.Lane(maphash.String(h.seed, subject))
	default:
		return h.batches.Lane(h.nextLane.Add(1))
	}
}

// gather keeps a message for the batch, as long as its payload lasts.
func (c *Conn) gather(m Message, lasts bool) {
	if c.stream.Load() != nil && !c.admit(len(m.Data)) {
		c.hub.count.in.Add(1)
		c.hub.count.unnumbered.Add(1)
		return
	}
	if c.gathered.full() {
		c.gathered = c.gathered.grown()
	}
	g := c.gathered
	g.payloads, g.kinds = append(g.payloads, m.Data), append(g.kinds, m.Type)
	c.size += len(m.Data)
	if !lasts || len(g.payloads) == mostGathered {
		c.handOver()
	}
}

// admit waits until the window of the stream has room for a message. False: it does not count, because the connection
// closes or has no stream.
func (c *Conn) admit(size int) bool {
	if c.sending.takes(size) {
		return true
	}
	gathered := 0
	if c.gathered != nil {
		gathered = len(c.gathered.payloads)
	}
	switch {
	case !c.sending.greeted:
		return false
	case c.hasRoom(gathered, c.size, size):
		return true
	case gathered > 0:
		c.handOver()
	}
	return c.awaitRoom(size)
}

// handOver gives what was gathered to the batch, and waits while that is full: the socket is not read meanwhile. It
// does not give up when the connection closes, because the messages were read.
func (c *Conn) handOver() {
	g, size := c.gathered, c.size
	c.gathered, c.size = nil, 0
	defer g.release()
	n := len(g.payloads)
	c.hub.count.in.Add(uint64(n))
	e := entry{conn: c, at: c.wire.ReadAt().Sub(c.hub.start)}
	if c.stream.Load() != nil {
		var ok bool
		if e.number, ok = c.number(n, size); !ok {
			c.hub.count.unnumbered.Add(uint64(n))
			return
		}
	}
	c.charge(n, size)
	for _, lost := range g.payloads[c.add(g, e):] {
		c.hub.budget.give(int64(len(lost) + overhead))
	}
	if c.hub.budget.wanted() { // by somebody who has looked for what to push before this was there
		c.pushLane()
	}
	if c.stream.Load() != nil && !c.hasRoom(0, 0, size/n) {
		c.pushLane() // a client that heeds its window sends nothing more for company
	}
}

// charge takes what messages need from the budget, and waits while that is used up; or has older ones make room.
func (c *Conn) charge(messages, bytes int) {
	b, need := &c.hub.budget, int64(bytes+overhead*messages)
	switch {
	case !b.exhausted():
	case c.hub.cfg.Batch.DropOldest:
		c.lane.Shed(messages, bytes)
	default:
		resume := c.hub.paused.begin()
		b.await(c.hub.draining, c.pushBudget)
		resume()
	}
	b.used.Add(need)
}

// add adds messages to the lane, whose entries are like the first one's, and returns how many: fewer do not fit only
// when a shutdown has run out of time.
func (c *Conn) add(g *gathered, first entry) (added int) {
	fill := func(i int, e *entry) {
		*e = first
		e.kind = g.kinds[i]
		if first.number > 0 {
			e.number += uint64(i)
		}
	}
	added, err := c.lane.AddAll(ended, g.payloads, fill)
	if errors.Is(err, context.Canceled) { // no room
		resume := c.hub.paused.begin()
		had := added
		added, err = c.lane.AddAll(context.Background(), g.payloads[had:], func(i int, e *entry) { fill(had+i, e) })
		added += had
		resume()
	}
	if err != nil {
		c.hub.count.lost.Add(uint64(len(g.payloads) - added))
	}
	return added
}

// ended is a context for those who do not wait.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// skip settles a message that enters no batch with a nack: it has a number like every other one.
func (c *Conn) skip(size int, code string, retry bool) {
	if c.gathered != nil {
		c.handOver()
	}
	if !c.sending.greeted {
		return
	}
	s := c.stream.Load()
	n, ok := s.claim(c, 1, size)
	if !ok {
		return
	}
	c.sending.next++
	c.sending.bytes += int64(size)
	c.sending.takes(size)
	s.refuse(n, code, retry)
	s.settle(run{n, n}, size)
}

// number returns the number of the first of n messages that are handed over. False: another connection has the stream.
func (c *Conn) number(n, size int) (first uint64, ok bool) {
	if first, ok = c.stream.Load().claim(c, n, size); ok {
		c.sending.next += uint64(n)
		c.sending.bytes += int64(size)
	}
	return first, ok
}

// pushLane has what the lane holds handled now: somebody waits for it.
func (c *Conn) pushLane() {
	_ = c.lane.Flush(ended)
}

// soon is how long somebody may wait for the budget until batches that hold it have filled or reached their age.
const soon = time.Second

// pushBudget hands batches over that hold the budget and are not full: that of c's lane alone when the others reach
// their age soon, else all of them.
func (c *Conn) pushBudget() {
	if age := c.hub.cfg.Batch.MaxAge; age < 0 || age > soon {
		c.hub.pushBatches()
	} else {
		c.pushLane()
	}
}

// flushTail hands over what a connection leaves behind in a lane of its own, without waiting for the handler. A shared
// lane is handed over by its age.
func (c *Conn) flushTail() {
	if c.hub.cfg.BatchPer == PerConn {
		c.pushLane()
	}
}
