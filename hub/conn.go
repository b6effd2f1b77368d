package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/heartbeat"
	"github.com/fiberwsx/wsx/internal/deflate"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ratelimit"
	"github.com/fiberwsx/wsx/ws"
)

// State is how far a connection has come.
type State int

// The states of a connection, in their order.
const (
	StateConnecting State = iota // OnOpen has not returned
	StateOpen                    // messages pass
	StateClosing                 // a close frame is queued or sent; nothing more can be
	StateClosed                  // the socket is gone
)

// String returns the state in small letters.
func (s State) String() string {
	if s < StateConnecting || s > StateClosed {
		return fmt.Sprintf("state %d", int(s))
	}
	return [...]string{"connecting", "open", "closing", "closed"}[s]
}

// Conn is a handle to one connection. It is never used again for another one, so it may be kept for as long as you
// like: a call on a connection that has closed returns [ErrClosed] and reaches nobody.
type Conn struct {
	hub   *Hub
	shard *shard
	id    string
	req   Request
	wire  *wire.Conn
	login *login // nil: its token does not end, and the client may send none

	opened   atomic.Bool // OnOpen has returned
	lags     bool        // it is among its shard's laggards; under the shard's mu
	pingedAt atomic.Int64
	rtt      atomic.Int64
	stirred  atomic.Int64 // when the last message was handled; with IdleTimeout
	drains   atomic.Int32 // that OnDrain has not been called for, the one under way included

	// Of the goroutine that reads.
	bucket     ratelimit.Bucket
	quota      *quota            // nil: there are no limits besides the rate
	notified   time.Time         // when the client was last told of its rate
	failures   int               // of the handler, in a row
	complaints *ratelimit.Bucket // told of messages that were not taken; nil before the first one
	lane       *batch.Lane[entry]
	straight   bool                   // what comes goes to lane: nothing is looked at, limited or copied before
	gathered   *gathered              // for lane, from one read
	size       int                    // bytes in gathered
	stream     atomic.Pointer[stream] // with acks; set before the first read
	sending    sending

	inbox *inbox // with OnConn

	mu       sync.Mutex
	values   map[any]any
	requests *requests // nil before the first one
	beat     *heartbeat.Entry
	age      *age            // nil: no limit
	ctx      context.Context // made when somebody asks for it
	cancel   context.CancelCauseFunc
	done     chan struct{} // likewise; closed last
	ended    bool

	// Under shard.mu.
	scopes []scope // that it is a member of, in the order in which it joined them
	left   bool    // it can join nothing any more
}

func newConn(h *Hub, nc net.Conn, r Request) *Conn {
	c := &Conn{hub: h, shard: h.nextShard(), id: h.names.next(), req: r}
	c.quota = h.quotas.of(c)
	c.wire = wire.New(nc, h.engine, (*events)(c))
	if r.Extensions != "" {
		c.wire.Compress(deflate.ParseAnswer(r.Extensions))
	}
	if r.Authenticate != nil || r.AuthFirst || !r.Identity.Expires.IsZero() {
		c.login = &login{conn: c, authenticate: r.Authenticate}
		c.login.unknown.Store(r.AuthFirst && r.Refusal == nil)
	}
	switch {
	case h.cfg.OnConn != nil:
		c.inbox = newInbox()
	case h.batches != nil && !c.stranger():
		c.lane = h.newLane(r.Identity.Subject)
	}
	c.straight = c.lane != nil && c.login == nil && c.quota == nil && h.straight()
	return c
}

// ID returns what names the connection in its hub: random, and never used again.
func (c *Conn) ID() string { return c.id }

// State returns how far the connection has come.
func (c *Conn) State() State {
	switch c.wire.State() {
	case wire.StateClosed:
		return StateClosed
	case wire.StateClosing:
		return StateClosing
	default:
		if c.opened.Load() {
			return StateOpen
		}
		return StateConnecting
	}
}

// Context returns a context that ends when the connection starts to close; its cause says why.
func (c *Conn) Context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		c.ctx, c.cancel = context.WithCancelCause(context.Background())
		if c.closing() {
			c.cancel(c.cause())
		}
	}
	return c.ctx
}

// closing reports whether the connection has started to close.
func (c *Conn) closing() bool { return c.wire.State() != wire.StateOpen }

// Done returns a channel that is closed when the connection is over: its socket gone, OnClose called.
func (c *Conn) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.ended {
			close(c.done)
		}
	}
	return c.done
}

// RTT returns how long the peer took to answer the last ping of the heartbeat; 0 before the first answer.
func (c *Conn) RTT() time.Duration { return time.Duration(c.rtt.Load()) }

// LastSeen returns when the last byte came from the peer.
func (c *Conn) LastSeen() time.Time { return c.wire.LastSeen() }

// Send queues a message and returns; it does not keep m.Data. It waits only while the outbox is full, and as long as
// the socket takes something: 50 ms after it has last taken anything Send gives up, not counting time in which the
// process did not get to run, after a second with that time, and after [Config.WriteDeadline] in any case. When
// [Config.Policy] is DropNewest or DropOldest it does not wait. Errors: [ErrClosed], [ErrSlowConsumer],
// [ErrMessageType], [ErrInvalidUTF8].
func (c *Conn) Send(m Message) error {
	p := &c.hub.cfg.Policy
	return c.send(m, wire.Mark{Policy: p.is, Key: p.key})
}

func (c *Conn) send(m Message, mark wire.Mark) error {
	c.shard.settle(c)
	err := c.wire.SendMarked(m.Type, m.Data, mark)
	if err == nil {
		c.hub.count.out.Add(1)
	} else {
		c.wire.Kick() // what settle has queued
	}
	return err
}

// SendText is [Conn.Send] for a text message.
func (c *Conn) SendText(s string) error { return c.Send(Message{Type: ws.Text, Data: []byte(s)}) }

// SendBinary is [Conn.Send] for a binary message.
func (c *Conn) SendBinary(p []byte) error { return c.Send(Message{Type: ws.Binary, Data: p}) }

// SendJSON sends v as JSON in a text message. Its error is that of [json.Marshal] or of [Conn.Send].
func (c *Conn) SendJSON(v any) error {
	p, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("hub: encoding a message: %w", err)
	}
	return c.Send(Message{Type: ws.Text, Data: p})
}

// Ping queues a ping with at most 125 bytes of payload. The heartbeat sends its own. Errors: [ErrClosed],
// [ErrControlTooLong], and [ErrSlowConsumer] when too many wait already.
func (c *Conn) Ping(payload []byte) error { return c.wire.Ping(payload) }

// Pong queues a pong that answers no ping, under the terms of [Conn.Ping]. Pings are answered without it.
func (c *Conn) Pong(payload []byte) error { return c.wire.Pong(payload) }

// Close starts to close the connection and returns at once. What is queued goes out, then a close frame; then the
// peer has the close timeout to answer, and of what is left of it 500 ms to hang up; then the socket is closed,
// OnClose called, and Done's channel closed. Messages that arrive meanwhile are discarded. A reason over 123 bytes
// is cut at a rune. Errors: [ErrClosed] when the connection closes already; [ErrStatus] when the status may not be
// sent, and 1011 was sent instead.
func (c *Conn) Close(status ws.Status, reason string) error {
	c.shard.settle(c)
	return c.wire.Close(status, reason)
}

// Buffered returns how many messages and bytes wait to be sent, with the one that is being written: a message counts
// until the socket has taken all of it.
func (c *Conn) Buffered() (messages, bytes int) {
	c.shard.settle(c)
	c.wire.Kick()
	return c.wire.Buffered()
}

// Flush waits until the socket has taken all that was queued. Errors: the context's, or [ErrClosed] when some of it
// will not go out any more.
func (c *Conn) Flush(ctx context.Context) error {
	c.shard.settle(c)
	return c.wire.Flush(ctx)
}
