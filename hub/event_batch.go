package hub

import (
	"context"
	"iter"
	"strconv"

	"github.com/fiberwsx/wsx/codec"
)

// ItemOf is a message of a typed batch.
type ItemOf[T any] struct {
	Item
	// Value is what the message says.
	Value T
}

// BatchOf is a [Batch] whose messages are events, all with a body that fits T and is valid.
type BatchOf[T any] struct {
	*Batch
	form form
}

// All returns the messages with their index, each decoded when its turn comes; what the handler does not look at costs
// nothing.
func (b *BatchOf[T]) All() iter.Seq2[int, ItemOf[T]] {
	return func(yield func(int, ItemOf[T]) bool) {
		for i, it := range b.Batch.All() {
			value, err := decodeItem[T](it, b.form)
			if err != nil { // though it was none when it was read: its Validate has changed its mind
				b.Reject(i, err)
				continue
			}
			if !yield(i, ItemOf[T]{Item: it, Value: value}) {
				return
			}
		}
	}
}

// OnBatch is [On] for a hub that gathers: messages of the one event that it has come to handle in batches, under the
// terms of [Config.OnBatch] and with all that belongs to it, acks and dead letters too.
//
//	h := hub.New(hub.Config{Ack: hub.AckBatch})
//	hub.OnBatch(h, "reading", func(ctx context.Context, b *hub.BatchOf[reading]) error {
//		for _, it := range b.All() {
//			store(ctx, it.Conn.Subject(), it.At, it.Value)
//		}
//		return nil
//	})
//
// A message is decoded and validated before it enters a batch. One that fails never does: it counts as Stats.Invalid,
// and is answered as with On or, where the client has asked for acks, with a nack that has [CodeInvalid], or
// [CodeUnknownType], and says not to send it again. The batch keeps what was sent, which is what the budgets count, and
// decodes it once more for the handler: twice the time, instead of memory that nobody bounds.
//
// OnBatch panics on a hub with any other handler, for a name that On takes neither, for a nil handler, and once the hub
// has had a connection.
func OnBatch[T any](h *Hub, event string, handle func(ctx context.Context, b *BatchOf[T]) error) {
	if handle == nil {
		panic("hub: OnBatch needs a handler: hub.OnBatch(h, " + strconv.Quote(event) +
			", func(ctx context.Context, b *hub.BatchOf[T]) error { … })")
	}
	form := formOf[T]()
	check := func(_ *Conn, e Event) error {
		_, err := decode[T](&e, form, codec.Type)
		return err
	}
	h.typed.gather(h, &route{name: event, handle: check}, func(ctx context.Context, b *Batch) error {
		return handle(ctx, &BatchOf[T]{Batch: b, form: form})
	})
}

func decodeItem[T any](it Item, f form) (value T, err error) {
	e := Event{Message: it.Message, codec: it.Conn.codec()}
	if !f.beside {
		e.envelope, _ = e.codec.Open(it.Message.Data) // which was well-formed when it was read
	}
	return decode[T](&e, f, codec.Type)
}

// gather makes the hub one with Config.OnBatch, which gets what r takes.
func (t *typed) gather(h *Hub, r *route, onBatch func(context.Context, *Batch) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t.checkLocked(h, "OnBatch")
	if h.cfg.OnMessage != nil || t.handle != nil {
		panic("hub: OnBatch beside OnMessage, On, Reply or Use: a batch gets every message, so make two hubs")
	}
	r.check("OnBatch")
	t.batched = r
	cfg := h.given
	cfg.OnBatch = onBatch
	cfg.check()
	h.setUp(cfg.withDefaults())
}

// fits reports whether a message may enter a batch, and tells the client when it may not.
func (c *Conn) fits(m Message) bool {
	if c.hub.typed.batched == nil {
		return true
	}
	e, refusal := c.eventOf(m)
	if refusal == nil {
		err := c.guard(e.route.callback, func() error { return e.route.handle(c, e) })
		if err == nil {
			return true
		}
		refusal = refused(err)
	}
	c.hub.count.in.Add(1)
	c.hub.count.invalid.Add(1)
	switch {
	case c.stream.Load() == nil:
		c.complain(e.envelope.ID, *refusal)
	case refusal.Code == CodeUnknownType:
		c.skip(len(m.Data), CodeUnknownType, false)
	default: // what Validate says is a text for people, and a nack has none
		c.skip(len(m.Data), CodeInvalid, false)
	}
	return false
}
