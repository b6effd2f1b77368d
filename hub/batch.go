package hub

import (
	"context"
	"iter"
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
