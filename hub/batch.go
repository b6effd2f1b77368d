package hub

import (
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"sync"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/ws"
)

// entry is a message in a batch; its payload lies beside it.
type entry struct {
	conn   *Conn
	at     time.Duration // after the hub's start
	number uint64        // in the stream; 0 without acks
	kind   ws.MessageType
}

// Item is a message of a batch.
type Item struct {
	// Conn is where the message came from. It may have closed since.
	Conn *Conn
	// Message is valid until the handler returns.
	Message Message
	// At is when the message was read.
	At time.Time
	// Stream and Number say where the message stands among those of its device; "" and 0 without acks.
	Stream string
	Number uint64
}

// Rejected is a message that no batch has stored.
type Rejected struct {
	Item
	// Poison is true when OnBatch fails for the message even alone, false when [Batch.Reject] was called for it.
	Poison bool
	// Err is the reason that Reject was given, or what OnBatch failed with.
	Err error
}

// Position is which messages of a stream a batch holds.
type Position struct {
	Stream      string
	First, Last uint64
}

// Batch is what OnBatch gets: messages in the order in which they were read, at least one connection by connection.
// It is valid until the handler returns.
type Batch struct{ b *batch.Batch[entry] }

// Len returns the number of messages.
func (b *Batch) Len() int { return b.b.Len() }

// Bytes returns the length of all payloads.
func (b *Batch) Bytes() int { return b.b.Bytes() }

// Attempt returns which attempt this is, from 1. A batch comes again when its handler fails.
func (b *Batch) Attempt() int { return b.b.Attempt() }

// All returns the messages with their index.
func (b *Batch) All() iter.Seq2[int, Item] {
	return func(yield func(int, Item) bool) {
		for i, e := range b.b.All() {
			if !yield(i, e.item(b.b.Payload(i))) {
				return
			}
		}
	}
}

// item returns what a handler gets to see of the message.
func (e entry) item(p []byte) Item {
	if e.conn.hub.cfg.Immutable {
		p = append([]byte(nil), p...)
	}
	it := Item{Conn: e.conn, Message: Message{Type: e.kind, Data: p}, At: e.conn.hub.start.Add(e.at), Number: e.number}
	if e.number > 0 {
		it.Stream = e.conn.stream.Load().id
	}
	return it
}

// Reject says that the i-th message can never be stored: once the handler has returned nil it goes to the DeadLetter,
// or is refused with a nack that says not to send it again. With an error the whole batch comes again. err may be nil.
func (b *Batch) Reject(i int, err error) { b.b.Reject(i, err) }

// Rejected returns what was rejected so far in this call, so that the handler can store it in the same transaction.
func (b *Batch) Rejected() iter.Seq2[int, error] { return b.b.Rejected() }

// Positions returns the first and the last number of each stream in the batch, for the handler to store in the same
// transaction as the messages. It has those of rejected ones too, and none without acks.
func (b *Batch) Positions() []Position {
	var all []Position
	at := make(map[*stream]int)
	for _, e := range b.b.All() {
		if e.number == 0 {
			continue
		}
		s := e.conn.stream.Load()
		i, ok := at[s]
		if !ok {
			at[s] = len(all)
			all = append(all, Position{Stream: s.id, First: e.number, Last: e.number})
			continue
		}
		all[i].Last = e.number
	}
	return all
}

func (h *Hub) newBatcher() *batch.Batcher[entry] {
	cfg := h.cfg.Batch
	retry, abandon, reject := cfg.OnRetry, cfg.OnAbandon, cfg.OnReject
	cfg.OnRetry = func(err error, attempt int, wait time.Duration) {
		h.log.Warn("websocket batch failed", "error", quoted(err.Error()), "attempt", attempt, "retry_in", wait)
		if retry != nil {
			retry(err, attempt, wait)
		}
	}
	cfg.OnAbandon = func(err error, items int) {
		h.log.Error("websocket batch abandoned", "error", quoted(err.Error()))
		h.reportLost(err)
		if abandon != nil {
			abandon(err, items)
		}
	}
	cfg.OnReject = func(err error, items int) {
		h.log.Error("websocket messages rejected", "error", quoted(err.Error()))
		h.reportLost(err)
		if reject != nil {
			reject(err, items)
		}
	}
	hooks := batch.Hooks[entry]{Settled: h.settled, Dropped: func(messages, bytes int) {
		h.budget.give(int64(bytes + overhead*messages))
	}}
	if h.cfg.DeadLetter != nil {
		hooks.DeadLetter = h.deadLetter
	}
	return batch.NewWithHooks(cfg, func(ctx context.Context, b *batch.Batch[entry]) error {
		return h.cfg.OnBatch(ctx, &Batch{b: b})
	}, hooks)
}

// reportLost tells OnError that messages are not stored.
func (h *Hub) reportLost(err error) {
	if h.cfg.OnError == nil {
		return
	}
	defer func() {
		if recover() != nil {
			h.count.panics.Add(1)
			h.log.Error("websocket callback crashed", "error", &PanicError{Callback: "OnError"})
		}
	}()
	h.cfg.OnError(nil, err)
}

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

// mostGathered is how many messages of one read go to the batch together. A connection that has to wait for the batch
// keeps them, so those with a few get less room.
const (
	mostGathered = 256
	fewGathered  = 16
)

// gathered is messages of one read that are on their way to the batch.
type gathered struct {
	payloads [][]byte
	kinds    []ws.MessageType
}

var (
	gatheredPool = newGatheredPool(mostGathered)
	fewPool      = newGatheredPool(fewGathered)
)

func newGatheredPool(size int) *sync.Pool {
	return &sync.Pool{New: func() any {
		return &gathered{payloads: make([][]byte, 0, size), kinds: make([]ws.MessageType, 0, size)}
	}}
}

// release gives g back to where it came from.
func (g *gathered) release() {
	clear(g.payloads)
	g.payloads, g.kinds = g.payloads[:0], g.kinds[:0]
	if cap(g.payloads) == fewGathered {
		fewPool.Put(g)
	} else {
		gatheredPool.Put(g)
	}
}

// full reports whether g, which may be nil, has no room for one more.
func (g *gathered) full() bool { return g == nil || len(g.payloads) == cap(g.payloads) }

// grown returns what replaces g when that is full.
func (g *gathered) grown() *gathered {
	if g == nil {
		return fewPool.Get().(*gathered)
	}
	more := gatheredPool.Get().(*gathered)
	more.payloads, more.kinds = append(more.payloads, g.payloads...), append(more.kinds, g.kinds...)
	g.release()
	return more
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
		c.pushLane()
		resume := c.hub.paused.begin()
		b.await(c.hub.draining)
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
	s := c.stream.Load()
	n, ok := s.claim(c, 1, size)
	if !ok || !c.sending.greeted {
		return
	}
	c.sending.next++
	c.sending.bytes += int64(size)
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

// flushTail hands over what a connection leaves behind in a lane of its own, without waiting for the handler. A shared
// lane is handed over by its age.
func (c *Conn) flushTail() {
	if c.hub.cfg.BatchPer == PerConn {
		c.pushLane()
	}
}
