package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/fiberwsx/wsx/ws"
)

// State is how far a connection has come.
type State int32

// The states of a connection, in their order.
const (
	StateOpen    State = iota // messages pass
	StateClosing              // a close frame is queued or sent; nothing more can be
	StateClosed               // the socket is gone
)

// lingering is how long the socket stays half open after a close handshake: closing it at once would reset it if
// the peer has sent more, which may be a pong, and what is still on its way would be lost, the close frame with it.
// The peer's close frame does not say that it has seen ours: the two may have crossed.
const lingering = 500 * time.Millisecond

// silence is how long a peer that has broken the protocol writes nothing before a socket is closed that cannot be half
// closed: it may be waiting for that. One that goes on writing is read for lingering after the close frame at most.
const silence = 50 * time.Millisecond

// State returns the state of the connection.
func (c *Conn) State() State { return State(c.state.Load()) }

// Cause returns why the connection closes or has closed, always with a [ws.CloseError] in its tree; nil while it is
// open.
func (c *Conn) Cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Close starts the close handshake (RFC 6455, section 7.1.2) and returns at once: what is queued goes out, then the
// close frame; then the peer has the close timeout to answer. The reason is cut to [ws.MaxReason] bytes. Errors:
// [ErrClosed] when the connection closes already, [ErrStatus] when the status may not be sent.
func (c *Conn) Close(status ws.Status, reason string) error {
	return c.CloseWithin(c.engine.CloseTimeout, status, reason)
}

// CloseWithin is [Conn.Close] with a close timeout of its own.
func (c *Conn) CloseWithin(d time.Duration, status ws.Status, reason string) error {
	e := ws.CloseError{Status: status, Reason: ws.CutReason(reason)}
	if !status.Sendable() {
		e = ws.CloseError{Status: ws.StatusInternalError}
	}
	if !c.close(e, d, false) {
		return ErrClosed
	}
	if !status.Sendable() {
		return fmt.Errorf("%w: %d", ErrStatus, status)
	}
	return nil
}

// close sends the close frame of e behind what is queued, or instead of it, and gives the peer d to end the
// connection. False: it closes already.
func (c *Conn) close(e ws.CloseError, d time.Duration, dropQueued bool) bool {
	c.mu.Lock()
	if !c.beginLocked(e, d) {
		c.mu.Unlock()
		return false
	}
	c.countDropped(c.out.seal(c.farewell(), closeFrame(e), dropQueued))
	c.mu.Unlock()
	c.handler.Closing()
	return true
}

// farewell returns the frames that go out in front of the close frame, or nil.
func (c *Conn) farewell() []byte {
	l, ok := c.handler.(Leaver)
	if !ok {
		return nil
	}
	return l.Farewell()
}

// fail ends the connection without a close frame, because its socket does not work: cause says why. After d, if that is
// above 0, the socket is closed, which the reader does otherwise.
func (c *Conn) fail(e ws.CloseError, cause error, d time.Duration) {
	err := error(e)
	if cause != nil {
		err = &failure{e, cause}
	}
	c.mu.Lock()
	first := c.beginLocked(err, d)
	c.mu.Unlock()
	c.countDropped(c.out.breakOff())
	if first {
		c.handler.Closing()
	}
}

// failure is how a connection ended and what its socket said. Few ask for the text.
type failure struct {
	closed ws.CloseError
	cause  error
}

func (f *failure) Error() string { return f.closed.Error() + ": " + f.cause.Error() }

func (f *failure) Unwrap() []error { return []error{f.closed, f.cause} }

func (c *Conn) beginLocked(cause error, d time.Duration) bool {
	if c.State() != StateOpen {
		return false
	}
	c.cause = cause
	c.state.Store(int32(StateClosing))
	if c.closing != nil {
		close(c.closing)
	}
	if d > 0 {
		c.timer = time.AfterFunc(d, c.Abort)
	}
	return true
}

// Abort ends the connection now, without waiting for the peer. A handler that runs is not interrupted: the end waits
// for it.
func (c *Conn) Abort() {
	c.socket.close()
	c.fail(ws.CloseError{Status: ws.StatusAbnormalClosure}, nil, 0)
}

// peerClosed answers the peer's close frame, or takes it as the answer to ours.
func (c *Conn) peerClosed(payload []byte) error {
	e, err := parseClose(payload)
	if err != nil {
		return err
	}
	c.close(e, c.engine.CloseTimeout, false)
	return errPeerClosed
}

// errPeerClosed means that both close frames are sent, or queued.
var errPeerClosed = errors.New("wire: the peer has closed")

// parseClose reads the payload of a close frame (RFC 6455, section 5.5.1).
func parseClose(p []byte) (ws.CloseError, error) {
	if len(p) == 0 {
		return ws.CloseError{Status: ws.StatusNoStatusRcvd}, nil
	}
	if len(p) == 1 {
		return ws.CloseError{}, protocolError("close payload of one byte")
	}
	status := ws.Status(binary.BigEndian.Uint16(p))
	if !status.Sendable() {
		return ws.CloseError{}, protocolError("invalid close status")
	}
	if !utf8.Valid(p[2:]) {
		return ws.CloseError{}, ws.CloseError{Status: ws.StatusInvalidPayload, Reason: "close reason is not UTF-8"}
	}
	return ws.CloseError{Status: status, Reason: string(p[2:])}, nil
}

// closeFrame builds the frame of e, without a payload when there is no status to send.
func closeFrame(e ws.CloseError) []byte {
	if !e.Status.Sendable() {
		return AppendHeader(nil, true, OpClose, 0, nil)
	}
	b := AppendHeader(make([]byte, 0, 4+len(e.Reason)), true, OpClose, 2+len(e.Reason), nil)
	b = binary.BigEndian.AppendUint16(b, uint16(e.Status))
	return append(b, e.Reason...)
}
