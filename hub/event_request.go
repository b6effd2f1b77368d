package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/fiberwsx/wsx/codec"
)

// The errors of [Conn.Request].
var (
	// ErrNoEvents means that the hub has no events, so that nobody would look for the reply.
	ErrNoEvents = errors.New("hub: Request needs a hub with events, see On")
	// ErrTooManyRequests means that as many requests to the connection as there may be wait for their reply.
	ErrTooManyRequests = errors.New("hub: too many requests to one connection")
)

// mostRequests is how many requests to one connection may wait.
const mostRequests = 64

// Request sends an event and waits for the reply to it. The client gets {"type":event,"id":1,…}, and answers with
// {"type":"reply","id":1,"data":…}, which is decoded into what reply points to; nil: its data does not matter. Or it
// answers with {"type":"error","id":1,"code":"…","message":"…"}, which is the [EventError] that Request returns.
//
// It waits until ctx ends, so give that a timeout: clients need not answer. A handler of the same connection waits in
// vain, because the reply is not read before it has returned: call Request from another goroutine there. At most 64
// requests to one connection wait at once. A reply that comes too late counts as Stats.LateReplies.
//
// Errors: ctx's cause; [ErrClosed], together with the [ws.CloseError] that says how, when the connection closes first;
// [ErrTooManyRequests]; [ErrNoEvents]; an EventError, whose words are the client's, so that a handler that returns it
// sends them to its own; those of [Conn.Emit], where an "id" of v's own is [codec.ErrOwnType] too; that of decoding the
// reply, whose text holds nothing of it.
func (c *Conn) Request(ctx context.Context, event string, v, reply any) error {
	if c.hub.typed.routes == nil {
		return ErrNoEvents
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	id, answered, err := c.expect()
	if err != nil {
		return err
	}
	defer c.forget(id)
	k := c.codec()
	if err := c.emit(codec.Header{Type: event, ID: k.AppendID(nil, id)}, v); err != nil {
		return err
	}
	select {
	case a := <-answered:
		return a.into(k, reply)
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.wire.Done():
	}
	select {
	case a := <-answered: // before the end
		return a.into(k, reply)
	default:
		return fmt.Errorf("%w: %w", ErrClosed, c.cause())
	}
}

// requests are those that wait for a reply, under Conn.mu.
type requests struct {
	last    uint64
	waiting map[uint64]chan<- answer
}

// answer is what a client has answered.
type answer struct {
	data []byte
	err  error
}

// into decodes the data.
func (a answer) into(k codec.Codec, reply any) error {
	if a.err != nil || reply == nil || a.data == nil {
		return a.err
	}
	if err := k.Decode(a.data, reply); err != nil {
		return misfit{err}
	}
	return nil
}

// misfit is a reply that cannot be decoded. What the codec says of it may hold some of it, so that is not in the text.
type misfit struct{ err error }

func (m misfit) Error() string { return "hub: a reply does not fit" }
func (m misfit) Unwrap() error { return m.err }

// expect returns a new id, and where its answer will be.
func (c *Conn) expect() (id uint64, answered <-chan answer, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.requests
	if r == nil {
		r = &requests{waiting: make(map[uint64]chan<- answer)}
		c.requests = r
	}
	if len(r.waiting) >= mostRequests {
		return 0, nil, ErrTooManyRequests
	}
	r.last++
	once := make(chan answer, 1)
	r.waiting[r.last] = once
	return r.last, once, nil
}

// forget has an answer that is still to come be late. It returns to whom that was to go; nil: nobody waits.
func (c *Conn) forget(id uint64) chan<- answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.requests == nil {
		return nil
	}
	to := c.requests.waiting[id]
	delete(c.requests.waiting, id)
	return to
}

// take gives an answer to whom it is for. It is copied: who waits decodes it in their own time.
func (c *Conn) take(e *Event) {
	var id uint64
	if e.envelope.ID == nil || e.codec.Decode(e.envelope.ID, &id) != nil {
		c.hub.count.late.Add(1)
		return
	}
	to := c.forget(id)
	if to == nil {
		c.hub.count.late.Add(1)
		return
	}
	a := answer{data: bytes.Clone(e.envelope.Data)}
	if string(e.envelope.Type) == errorType {
		var told EventError
		_ = e.codec.Decode(e.Message.Data, &told) // what does not fit is left out
		a.err = told
	}
	to <- a
}
