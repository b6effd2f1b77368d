package wire

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/fiberwsx/wsx/ws"
)

// ErrClosed means that the connection is closing or has closed.
var ErrClosed = errors.New("websocket: connection closed")

// ErrSlowConsumer means that the peer takes its messages too slowly: the outbox was full, and the socket took nothing.
// The connection closes with [ws.StatusSlowConsumer].
var ErrSlowConsumer = errors.New("websocket: slow consumer")

// ErrInvalidUTF8 means that a text message to be sent is not UTF-8. Nothing was sent: the peer would have to fail the
// connection (RFC 6455, section 8.1).
var ErrInvalidUTF8 = errors.New("websocket: text is not UTF-8")

// ErrControlTooLong means that the payload of a ping or a pong is longer than [MaxControl].
var ErrControlTooLong = errors.New("websocket: control payload over 125 bytes")

// ErrStatus means that a close frame may not carry the status; the connection closes with 1011 instead.
var ErrStatus = errors.New("websocket: status may not be sent")

// Config holds the limits of a connection. In all of them 0 means that there is no limit.
type Config struct {
	MaxMessage     int64          // bytes of an incoming message
	MaxFragments   int            // of an incoming message
	MaxMessageAge  time.Duration  // from the first fragment to the last
	ControlRate    int            // incoming pings and pongs a second
	OutboxMessages int            // waiting to be sent
	OutboxBytes    int            // waiting to be sent
	WriteDeadline  time.Duration  // for the socket to take something of what it is given
	CloseTimeout   time.Duration  // for the close handshake
	Dropped        *atomic.Uint64 // counts messages that were accepted and could not be sent
}

// Handler takes what a connection receives. Its methods are called one at a time, from the goroutine of [Conn.Run];
// payloads are valid until the call returns. It must not panic; runtime.Goexit ends the connection.
type Handler interface {
	Message(t ws.MessageType, payload []byte)
	// Ping is called when its pong is queued already.
	Ping(payload []byte)
	Pong(payload []byte)
	// Closing is called once, from any goroutine, when the connection starts to close: nothing can be sent any more.
	Closing()
}

// Conn is the server's side of one connection, from the 101 to the end of its socket.
type Conn struct {
	cfg     *Config
	handler Handler
	socket  transport
	parser  parser
	out     outbox
	writer  func() // write, bound once
	writers sync.WaitGroup
	rate    controlRate

	born    time.Time
	heard   atomic.Int64 // when the last byte came, in nanoseconds after born
	reading atomic.Int64 // since when the reader waits for input, likewise; 0 while it does not

	closing chan struct{} // closed when the close starts

	mu      sync.Mutex
	state   State
	cause   error         // why it closes; set with state
	parked  chan struct{} // made when the reader is to stop, closed when it has
	waiting bool          // the reader waits for input
	timer   *time.Timer   // ends the close handshake
}

// New returns a connection on nc, whose handshake is done. The caller has to call [Conn.Run], which closes nc.
func New(nc net.Conn, cfg *Config, h Handler) *Conn {
	c := &Conn{cfg: cfg, handler: h, socket: inplace{conn: nc}, born: time.Now(), closing: make(chan struct{})}
	c.writer = c.write
	c.out = outbox{maxMessages: cfg.OutboxMessages, maxBytes: cfg.OutboxBytes, start: c.startWriter}
	c.parser = parser{
		sink: (*events)(c), masked: true,
		maxMessage: cfg.MaxMessage, maxFragments: cfg.MaxFragments, maxAge: cfg.MaxMessageAge,
	}
	return c
}

// Send queues a message and returns; payload is copied. It waits only while the outbox is at a limit and the socket
// still takes something. Errors: [ErrClosed], [ErrSlowConsumer], [ErrInvalidUTF8].
func (c *Conn) Send(t ws.MessageType, payload []byte) error {
	if t == ws.Text && !utf8.Valid(payload) {
		return ErrInvalidUTF8
	}
	return c.push(t, payload, nil)
}

// SendFrame is Send for a frame that several connections share.
func (c *Conn) SendFrame(f Frame) error { return c.push(0, nil, f.data) }

// TrySendFrame is SendFrame that never waits: false means that the outbox is at a limit, and nothing was queued.
func (c *Conn) TrySendFrame(f Frame) (ok bool, err error) {
	err = c.out.push(0, nil, f.data)
	if errors.Is(err, errFull) {
		return false, nil
	}
	return err == nil, err
}

// patience is how long the socket may have refused before a full outbox counts as a slow consumer.
const patience = 50 * time.Millisecond

func (c *Conn) push(t ws.MessageType, payload, shared []byte) error {
	for {
		err := c.out.push(t, payload, shared)
		if !errors.Is(err, errFull) {
			return err
		}
		if err := c.AwaitRoom(); err != nil {
			return err
		}
	}
}

// AwaitRoom waits until a message that found the outbox at a limit may be tried again. The error is
// [ErrSlowConsumer]: the socket takes nothing, and the connection closes; or [ErrClosed], because it does already.
func (c *Conn) AwaitRoom() error {
	if c.waitForRoom() {
		return nil
	}
	if !c.close(ws.CloseError{Status: ws.StatusSlowConsumer, Reason: "slow consumer"}, c.cfg.CloseTimeout, true) {
		return ErrClosed
	}
	return ErrSlowConsumer
}

// waitForRoom waits for the writer's next progress. False means that the socket has refused for too long.
func (c *Conn) waitForRoom() bool {
	moved, stuck := c.out.watch()
	if moved == nil {
		return true
	}
	if stuck >= patience {
		return false
	}
	t := time.NewTimer(patience - stuck)
	defer t.Stop()
	select {
	case <-moved:
		return true
	case <-t.C:
		_, stuck = c.out.watch()
		return stuck < patience
	}
}

// Ping queues a ping of at most [MaxControl] bytes. Errors: [ErrClosed], [ErrControlTooLong], and [ErrSlowConsumer]
// when many wait already; that one does not close the connection.
func (c *Conn) Ping(payload []byte) error { return c.sendControl(OpPing, payload) }

// Pong queues an unsolicited pong, under the terms of [Conn.Ping]. Pings are answered without it.
func (c *Conn) Pong(payload []byte) error { return c.sendControl(OpPong, payload) }

func (c *Conn) sendControl(op Opcode, payload []byte) error {
	if len(payload) > MaxControl {
		return ErrControlTooLong
	}
	ok, err := c.out.pushControl(op, payload)
	if err == nil && !ok {
		return ErrSlowConsumer
	}
	return err
}

// Buffered returns how much was accepted and is not yet with the socket.
func (c *Conn) Buffered() (messages, bytes int) { return c.out.buffered() }

// Flush waits until the socket has taken all that was queued. Errors: the context's, or [ErrClosed] when the
// connection ended first.
func (c *Conn) Flush(ctx context.Context) error {
	for {
		moved, _ := c.out.watch()
		if moved == nil {
			break
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if c.out.isBroken() {
		return ErrClosed
	}
	return nil
}

// LastSeen returns when the last byte came from the peer; before the first one, when the connection was made.
func (c *Conn) LastSeen() time.Time { return c.born.Add(time.Duration(c.heard.Load())) }

// Listening returns since when the connection has been waiting for its peer. False: it is not, because a handler runs
// or a limit holds it, so that the peer's silence means nothing.
func (c *Conn) Listening() (since time.Time, ok bool) {
	n := c.reading.Load()
	return c.born.Add(time.Duration(n)), n != 0
}

// age returns how old the connection is in nanoseconds, at least 1.
func (c *Conn) age() int64 { return max(1, int64(time.Since(c.born))) }

// Done returns a channel that is closed when the connection starts to close.
func (c *Conn) Done() <-chan struct{} { return c.closing }
