package hub

import (
	"context"
	"hash/maphash"
	"iter"
	"sync"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/ws"
)

// entry is a message in a batch; its payload lies beside it.
type entry struct {
	conn *Conn
	at   time.Duration // after the hub's start
	kind ws.MessageType
}

// Item is a message of a batch.
type Item struct {
	// Conn is where the message came from. It may have closed since.
	Conn *Conn
	// Message is valid until the handler returns.
	Message Message
	// At is when the message was read.
	At time.Time
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
			if !yield(i, Item{Conn: e.conn, Message: Message{Type: e.kind, Data: b.payload(i, e)}, At: e.conn.hub.start.Add(e.at)}) {
				return
			}
		}
	}
}

func (b *Batch) payload(i int, e entry) []byte {
	p := b.b.Payload(i)
	if e.conn.hub.cfg.Immutable {
		return append([]byte(nil), p...)
	}
	return p
}

func (h *Hub) newBatcher() *batch.Batcher[entry] {
	cfg := h.cfg.Batch
	retry, abandon := cfg.OnRetry, cfg.OnAbandon
	cfg.OnRetry = func(err error, attempt int, wait time.Duration) {
		h.log.Warn("websocket batch failed", "error", quoted(err.Error()), "attempt", attempt, "retry_in", wait)
		if retry != nil {
			retry(err, attempt, wait)
		}
	}
	cfg.OnAbandon = func(err error, items int) {
		h.reportAbandoned(err)
		if abandon != nil {
			abandon(err, items)
		}
	}
	return batch.New(cfg, func(ctx context.Context, b *batch.Batch[entry]) error {
		return h.cfg.OnBatch(ctx, &Batch{b: b})
	})
}

// reportAbandoned tells OnError, and always the log: messages are lost.
func (h *Hub) reportAbandoned(err error) {
	h.log.Error("websocket batch abandoned", "error", quoted(err.Error()))
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

var (
	gatheredPool = newGatheredPool(mostGathered)
	fewPool      = newGatheredPool(fewGathered)
)

func newGatheredPool(size int) *sync.Pool {
	return &sync.Pool{New: func() any {
		all := make([]batch.Addition[entry], 0, size)
		return &all
	}}
}

// giveGathered gives a slice back to where it came from.
func giveGathered(all *[]batch.Addition[entry]) {
	clear(*all)
	*all = (*all)[:0]
	if cap(*all) == fewGathered {
		fewPool.Put(all)
	} else {
		gatheredPool.Put(all)
	}
}

// gather keeps a message for the batch, as long as its payload lasts.
func (c *Conn) gather(m Message, lasts bool) {
	switch {
	case c.gathered == nil:
		c.gathered = fewPool.Get().(*[]batch.Addition[entry])
	case len(*c.gathered) == fewGathered && cap(*c.gathered) == fewGathered:
		more := gatheredPool.Get().(*[]batch.Addition[entry])
		*more = append(*more, *c.gathered...)
		giveGathered(c.gathered)
		c.gathered = more
	}
	*c.gathered = append(*c.gathered, batch.Addition[entry]{
		Item: entry{conn: c, kind: m.Type, at: c.wire.ReadAt().Sub(c.hub.start)}, Payload: m.Data,
	})
	if !lasts || len(*c.gathered) == mostGathered {
		c.handOver()
	}
}

// handOver gives what was gathered to the batch, and waits while that is full: the socket is not read meanwhile. It does
// not give up when the connection closes, because the messages were read.
func (c *Conn) handOver() {
	all := c.gathered
	c.gathered = nil
	c.hub.count.in.Add(uint64(len(*all)))
	if added, err := c.lane.AddAll(context.Background(), *all); err != nil { // a shutdown has run out of time
		c.hub.count.lost.Add(uint64(len(*all) - added))
	}
	giveGathered(all)
}

// flushTail hands over what a connection leaves behind in a lane of its own, without waiting for the handler. A shared
// lane is handed over by its age.
func (c *Conn) flushTail() {
	if c.hub.cfg.BatchPer == PerConn {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = c.lane.Flush(ctx)
	}
}
