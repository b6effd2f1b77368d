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

// ErrMessageType means that a message to be sent is neither text nor binary. Nothing was sent.
var ErrMessageType = errors.New("websocket: message is neither text nor binary")

// ErrControlTooLong means that the payload of a ping or a pong is longer than [MaxControl].
var ErrControlTooLong = errors.New("websocket: control payload over 125 bytes")

// ErrStatus means that a close frame may not carry the status; the connection closes with 1011 instead.
var ErrStatus = errors.New("websocket: status may not be sent")

// Handler takes what a connection receives. Its methods are called one at a time, from the goroutine that reads;
// payloads are valid until the call returns. It must not panic; runtime.Goexit ends the connection.
type Handler interface {
	// Message is called for each message. A payload that lasts is valid until Pause has returned.
	Message(t ws.MessageType, payload []byte, lasts bool)
	// Pause is called when everything that one read has brought is handled.
	Pause()
	// Ping is called when its pong is queued already.
	Ping(payload []byte)
	Pong(payload []byte)
	// Closing is called once, from any goroutine, when the connection starts to close: nothing can be sent any more.
	Closing()
	// Ended is called last: the socket is gone.
	Ended()
}

// Leaver is what a [Handler] may be too. Farewell is called once, from any goroutine, when a close frame is about to be
// queued: what it returns, notes appended with [AppendNote], is sent in front of it. It must not call the connection.
type Leaver interface {
	Farewell() []byte
}

// Skipper is what a [Handler] may be too. Skip is called before a compressed message is inflated, which costs much more
// than to send it, with its size until then. True drops it unseen. With context takeover, where later messages refer to
// it, it is inflated even so, and when that adds up to much the connection is not read for a while.
type Skipper interface {
	Skip(size int) bool
}

// Conn is the server's side of one connection, from the 101 to the end of its socket.
type Conn struct {
	engine   *Engine
	handler  Handler
	socket   transport
	detached bool
	out      outbox
	writers  sync.WaitGroup

	// Of the goroutine that reads.
	parser     parser
	rate       controlRate
	rest       []byte // read and not parsed
	collecting bool   // the outbox is corked
	stirred    bool   // a message has come since the reader last waited
	waste      int32  // bytes that were inflated for nothing, and for which it has not waited yet
	readAt     time.Time
	vain       <-chan struct{} // what has told of no room in the outboxes for as long as it waited
	// From when on it waits for others' room again, in nanoseconds after the engine's start, and from when on if there
	// is too little by a quarter.
	patient, firm int64

	heard   atomic.Int64 // when the last byte came, in nanoseconds after the engine's start
	reading atomic.Int64 // since when the reader waits for input, likewise; 0 while it does not
	state   atomic.Int32 // written under mu
	active  atomic.Bool  // a message has come since Rest was called

	mu      sync.Mutex
	cause   error         // why it closes; set with state
	closing chan struct{} // closed when the close starts; made when somebody asks for it
	parked  chan struct{} // made when the reader is to stop, closed when it has
	waiting bool          // the reader waits for input
	napping bool          // it has no goroutine; under the lot's mu
	timer   *time.Timer   // ends the close handshake
}

// New returns a connection on nc, whose handshake is done. The caller has to call [Conn.Run] or [Conn.Go]. A plain
// TCP socket on Linux, or one that nc gives up by a method UnsafeConn as fasthttp's connections have it, is detached:
// nc is closed already, and its socket goes on under a descriptor of the engine's own.
func New(nc net.Conn, e *Engine, h Handler) *Conn {
	c := &Conn{engine: e, handler: h}
	c.socket, c.rest, c.detached = attach(nc)
	c.out.conn = c
	c.readAt = time.Now()
	c.heard.Store(int64(c.readAt.Sub(e.start)))
	c.parser = parser{sink: (*events)(c), rules: &e.rules}
	return c
}

// LimitMessage makes the longest incoming message shorter than the engine's, in bytes, from the next frame on; 0: as
// the engine has it again. It is for whoever has not called Run or Go yet, and for the goroutine that reads.
func (c *Conn) LimitMessage(most int64) {
	c.parser.rules = &c.engine.rules
	if configured := c.engine.rules.maxMessage; most > 0 && (configured == 0 || most < configured) {
		own := c.engine.rules
		own.maxMessage = most
		c.parser.rules = &own
	}
}

// Detached reports whether the connection has a descriptor of its own, so that whoever had nc need not wait for it; see
// [Conn.Go].
func (c *Conn) Detached() bool { return c.detached }

// Send queues a message and returns; payload is copied. It waits only while the outbox is at a limit, or has much of a
// budget that is strained, and the socket still takes something. Errors: [ErrClosed], [ErrSlowConsumer], and those of
// [CheckMessage].
func (c *Conn) Send(t ws.MessageType, payload []byte) error { return c.sendUnder(t, payload, &plain) }

// SendMarked is [Conn.Send] under a mark. That its policy drops a message is no error.
func (c *Conn) SendMarked(t ws.MessageType, payload []byte, m Mark) error {
	return c.sendUnder(t, payload, &m)
}

func (c *Conn) sendUnder(t ws.MessageType, payload []byte, m *Mark) error {
	if err := CheckMessage(t, payload); err != nil {
		return err
	}
	switch {
	case !c.compresses(payload):
		return c.send(Opcode(t), payload, false, m)
	case c.parser.deflate.ServerTakeover: // what it refers to is known when its turn comes
		return c.send(Opcode(t), payload, true, m)
	}
	p := c.pack(payload)
	if p == nil {
		return c.send(Opcode(t), payload, false, m)
	}
	defer p.Free()
	return c.send(Opcode(t)|compressed, p.data, false, m)
}

// CheckMessage returns why a message may not be sent: [ErrMessageType], [ErrInvalidUTF8].
func CheckMessage(t ws.MessageType, payload []byte) error {
	switch {
	case t == ws.Text && !utf8.Valid(payload):
		return ErrInvalidUTF8
	case t != ws.Text && t != ws.Binary:
		return ErrMessageType
	default:
		return nil
	}
}

func (c *Conn) send(op Opcode, payload []byte, pack bool, m *Mark) error {
	var begun time.Time // when it began to wait
	for {
		err := c.out.push(op, payload, pack, m)
		switch {
		case errors.Is(err, errDropped):
			return nil
		case errors.Is(err, errFull):
			err = c.awaitRoom(&begun, patience)
		case errors.Is(err, errStrained):
			err = c.awaitRoom(&begun, c.engine.outboxes.allows())
		default:
			return err
		}
		if err != nil {
			return err
		}
	}
}

// SendRound queues what the connection has not had of r, and returns how many messages that is, and whether the outbox
// is full now. It never waits: whatever the number of messages, up to the limit in bytes is queued, and 1 MiB at least;
// up to four times that unless the socket has taken nothing for a second. Beyond, the error is [ErrSlowConsumer], and
// the connection closes; likewise for the worst of those who use up the budget, without a close frame if all of it is
// still used then. The other one is [ErrClosed].
func (c *Conn) SendRound(r *Round) (messages int, full bool, err error) {
	messages, full, err = c.out.pushRound(r, true)
	switch {
	case errors.Is(err, errFull):
		err = c.overflow()
	case errors.Is(err, errStrained):
		if err = c.expelled(); c.engine.outboxes.exhausted() {
			c.Abort()
		}
	}
	return messages, full, err
}

// QueueRound is [Conn.SendRound] that leaves the writing to whatever is queued next, or to [Conn.Kick]. It cuts nobody
// off, which may take long with TLS: it may be called under a lock.
func (c *Conn) QueueRound(r *Round) (messages int, err error) {
	messages, _, err = c.out.pushRound(r, false)
	switch {
	case errors.Is(err, errFull):
		err = c.overflow()
	case errors.Is(err, errStrained):
		err = c.expelled()
	}
	return messages, err
}

// expelled closes because of the budget, from which no other one has to go for what c still holds.
func (c *Conn) expelled() error {
	c.engine.outboxes.leaves(c)
	return c.overflow()
}

// Full reports whether the outbox is at a limit.
func (c *Conn) Full() bool { return c.out.isFull() }

// AwaitProgress waits until the socket has taken something, if it is waited for at all, at most until the deadline.
func (c *Conn) AwaitProgress(deadline time.Time) {
	if moved, _ := c.out.watch(); moved != nil {
		wait(moved, max(1, time.Until(deadline)))
	}
}

// Kick writes what was queued.
func (c *Conn) Kick() { c.out.flush() }

// Skip says that the connection wants nothing that lies before a position of the log.
func (c *Conn) Skip(position uint64) { c.out.skip(position) }

// Ping queues a ping of at most [MaxControl] bytes. Errors: [ErrClosed], [ErrControlTooLong], and [ErrSlowConsumer]
// when many wait already; that one does not close the connection.
func (c *Conn) Ping(payload []byte) error { return c.sendControl(OpPing, payload) }

// Pong queues an unsolicited pong, under the terms of [Conn.Ping]. Pings are answered without it.
func (c *Conn) Pong(payload []byte) error { return c.sendControl(OpPong, payload) }

// Note queues a short text message among the control frames, so that it does not wait behind messages and counts
// towards no limit of theirs. False, and nothing is queued, while many wait already, or when the connection closes.
func (c *Conn) Note(payload []byte) bool { return c.Notes(AppendNote(nil, payload)) }

// Notes is [Conn.Note] for several, each appended with [AppendNote]: all are queued, or none.
func (c *Conn) Notes(frames []byte) bool { return c.out.pushNotes(frames) }

// AppendNote appends a note for [Conn.Notes].
func AppendNote(b, payload []byte) []byte {
	return append(AppendHeader(b, true, OpText, len(payload), nil), payload...)
}

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

// Buffered returns how much was accepted and is not yet with the socket: a message that is written in part counts
// whole.
func (c *Conn) Buffered() (messages, bytes int) { return c.out.buffered() }

// Flush waits until the socket has taken all that was queued. Errors: the context's, or [ErrClosed] when the
// connection ended first, or was closed for a peer that is too slow and dropped some of it.
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
	if !c.out.isWhole() {
		return ErrClosed
	}
	return nil
}

// LastSeen returns when the last byte came from the peer; before the first one, when the connection was made.
func (c *Conn) LastSeen() time.Time { return c.engine.start.Add(time.Duration(c.heard.Load())) }

// ReadAt returns when what the handler is called for was read from the socket. It is for the handler alone.
func (c *Conn) ReadAt() time.Time { return c.readAt }

// Listening returns since when the connection has been waiting for its peer. False: it is not, because a handler runs
// or a limit holds it, so that the peer's silence means nothing.
func (c *Conn) Listening() (since time.Time, ok bool) {
	n := c.reading.Load()
	return c.engine.start.Add(time.Duration(n)), n != 0
}

// Done returns a channel that is closed when the connection starts to close.
func (c *Conn) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing == nil {
		c.closing = make(chan struct{})
		if c.State() != StateOpen {
			close(c.closing)
		}
	}
	return c.closing
}
