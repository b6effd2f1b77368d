package hub

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/fiberwsx/wsx/ws"
)

const (
	aheadMessages = 16       // that wsx reads ahead of OnConn
	aheadBytes    = 64 << 10 // of them
)

// inbox is what was read and not yet received.
type inbox struct {
	returned chan struct{} // closed when OnConn has returned
	ready    chan struct{} // has room for one signal: there may be a message
	space    chan struct{} // has room for one signal: there may be space

	mu    sync.Mutex
	queue []Message
	bytes int
}

func newInbox() *inbox {
	return &inbox{
		returned: make(chan struct{}),
		ready:    make(chan struct{}, 1),
		space:    make(chan struct{}, 1),
	}
}

// push waits until there is space. When the connection closes it takes the message all the same, because that was read
// before; and in a shutdown it does not wait for OnConn: the reader stops soon.
func (b *inbox) push(c *Conn, m Message) {
	m = m.Clone()
	for full := b.tryPush(m, false); full; {
		force := true
		select {
		case <-b.space:
			force = false
		case <-c.hub.draining:
		case <-c.wire.Done():
		}
		full = b.tryPush(m, force)
	}
	signal(b.ready)
}

// tryPush takes a message unless the inbox is full, and always by force.
func (b *inbox) tryPush(m Message, force bool) (full bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.queue)
	if !force && n > 0 && (n >= aheadMessages || b.bytes+len(m.Data) > aheadBytes) {
		return true
	}
	b.queue = append(b.queue, m)
	b.bytes += len(m.Data)
	return false
}

func (b *inbox) pop() (m Message, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		return m, false
	}
	m = b.queue[0]
	b.queue[0] = Message{}
	b.queue = b.queue[1:]
	b.bytes -= len(m.Data)
	return m, true
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Receive returns the next message, whose payload is the caller's to keep. It is for OnConn, and for one goroutine at
// a time. Errors: the context's when that ended first; [ErrClosed], together with the [ws.CloseError] that says how,
// when the connection has closed and every message before that was received; [ErrNoReceive] in a hub without OnConn.
func (c *Conn) Receive(ctx context.Context) (Message, error) {
	if c.inbox == nil {
		return Message{}, ErrNoReceive
	}
	for {
		over := c.closing() // before the look: what came before the end is received
		if m, ok := c.inbox.pop(); ok {
			signal(c.inbox.space)
			return m, nil
		}
		if over {
			return Message{}, fmt.Errorf("%w: %w", ErrClosed, c.cause())
		}
		select {
		case <-c.inbox.ready:
		case <-c.wire.Done():
		case <-ctx.Done():
			return Message{}, context.Cause(ctx)
		}
	}
}

// Messages returns the messages as they come, under the terms of [Conn.Receive]. The sequence ends when the peer has
// closed with 1000, 1001 or no status, or after one error that says how else the connection ended.
func (c *Conn) Messages() iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for {
			m, err := c.Receive(context.Background())
			if err == nil {
				if !yield(m, nil) {
					return
				}
				continue
			}
			switch ws.StatusOf(err) {
			case ws.StatusNormalClosure, ws.StatusGoingAway, ws.StatusNoStatusRcvd:
			default:
				yield(Message{}, err)
			}
			return
		}
	}
}

// loop runs OnConn; its return closes the connection.
func (c *Conn) loop() {
	defer close(c.inbox.returned)
	err := c.guard("OnConn", func() error { return c.hub.cfg.OnConn(c) })
	var crash *PanicError
	switch {
	case err == nil:
		_ = c.Close(ws.StatusNormalClosure, "")
	case errors.As(err, &crash), c.closeAs(err), errors.Is(err, ErrClosed), c.closing():
	default:
		c.report(err)
		_ = c.Close(ws.StatusInternalError, "")
	}
}
