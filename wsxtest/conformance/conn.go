package conformance

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"
	"unicode/utf8"
)

// conn is the client's side of a connection. After the first thing that is not as it has to be its methods do nothing,
// and err says what that was.
type conn struct {
	server  *Server
	nc      net.Conn
	r       *bufio.Reader
	deflate *inflater // nil: no message may be compressed
	err     error

	inFrame  bool // what was sent last ends within a frame
	ended    bool // the close handshake is done
	messages []message
	pongs    [][]byte
	partial  *message // the server's message that is not whole yet
}

// message is one from the server.
type message struct {
	op         byte
	compressed bool
	payload    []byte
}

func (c *conn) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// patience gives the next thing to come its time, and the next to be sent too.
func (c *conn) patience() { _ = c.nc.SetDeadline(time.Now().Add(c.server.Patience)) }

// send sends frames in one write. What the server does not want to read any more it need not: that shows in what it
// answers.
func (c *conn) send(frames ...[]byte) {
	if c.err == nil {
		_, _ = c.nc.Write(bytes.Join(frames, nil))
	}
}

// sendEach sends each piece in a write of its own.
func (c *conn) sendEach(pieces ...[]byte) {
	for _, p := range pieces {
		c.send(p)
	}
}

// sendBytes sends p in pieces of n bytes.
func (c *conn) sendBytes(p []byte, n int) {
	for len(p) > n {
		c.send(p[:n])
		p = p[n:]
	}
	c.send(p)
}

// stopIn sends what ends within a frame: the rest does not come.
func (c *conn) stopIn(frames ...[]byte) {
	c.inFrame = true
	c.send(frames...)
}

// wantMessage waits for the server's next message, which has to be this one.
func (c *conn) wantMessage(op byte, payload []byte) {
	for c.err == nil && len(c.messages) == 0 {
		c.read(fmt.Sprintf("instead of %s", describe(op, payload)))
	}
	if c.err != nil {
		return
	}
	m := c.messages[0]
	c.messages = c.messages[1:]
	if m.op != op || !bytes.Equal(m.payload, payload) {
		c.fail("the server sent %s, want %s", describe(m.op, m.payload), describe(op, payload))
	}
}

func (c *conn) wantText(s string)   { c.wantMessage(opText, []byte(s)) }
func (c *conn) wantBlob(p []byte)   { c.wantMessage(opBinary, p) }
func (c *conn) echoes(s string)     { c.send(text(s)); c.wantText(s) }
func (c *conn) echoesBlob(p []byte) { c.send(blob(p)); c.wantBlob(p) }

// wantPong waits for the server's next pong.
func (c *conn) wantPong(payload string) {
	for c.err == nil && len(c.pongs) == 0 {
		c.read(fmt.Sprintf("instead of a pong of %d bytes", len(payload)))
	}
	if c.err != nil {
		return
	}
	got := c.pongs[0]
	c.pongs = c.pongs[1:]
	if string(got) != payload {
		c.fail("the server sent a pong with %s, want %s", excerpt(got), excerpt([]byte(payload)))
	}
}

// answers checks that the connection still works: a ping comes back.
func (c *conn) answers() {
	c.send(ping("still there?"))
	c.wantPong("still there?")
}

// read takes the next frame in. The connection may not end here.
func (c *conn) read(instead string) {
	f, err := c.readFrame()
	switch {
	case isTimeout(err):
		c.fail("nothing came within %v %s", c.server.Patience, instead)
	case isEnd(err):
		c.fail("the server dropped the connection without a close frame %s", instead)
	case err != nil:
		c.fail("%w %s", err, instead)
	case f.op() == opClose:
		c.fail("the server closed with %s %s", describeClose(f.payload), instead)
	}
}

// readFrame reads a frame and keeps what it holds, unless that is a close.
func (c *conn) readFrame() (frame, error) {
	var allowed byte
	if c.deflate != nil {
		allowed = rsv1
	}
	c.patience()
	f, err := readFrame(c.r, allowed)
	if err != nil {
		return f, err
	}
	switch f.op() {
	case opClose, opPing: // a server may ping at any time
	case opPong:
		c.pongs = append(c.pongs, f.payload)
	default:
		err = c.takeData(f)
	}
	return f, err
}

// takeData puts a message together.
func (c *conn) takeData(f frame) error {
	switch {
	case f.op() == opContinuation && c.partial == nil:
		return errors.New("the server continued a message that it had not begun")
	case f.op() != opContinuation && c.partial != nil:
		return errors.New("the server began a message within a message")
	case f.op() == opContinuation && f.first&rsv1 != 0:
		return errors.New("the server set RSV1 on a continuation")
	}
	if c.partial == nil {
		c.partial = &message{op: f.op(), compressed: f.first&rsv1 != 0}
	}
	c.partial.payload = append(c.partial.payload, f.payload...)
	if f.first&fin == 0 {
		return nil
	}
	m := *c.partial
	c.partial = nil
	if m.compressed {
		p, err := c.deflate.inflate(m.payload)
		if err != nil {
			return fmt.Errorf("the server sent a compressed message that does not inflate (%w): %s", err, excerpt(m.payload))
		}
		m.payload = p
	}
	if m.op == opText && !utf8.Valid(m.payload) {
		return errors.New("the server sent a text that is not UTF-8")
	}
	c.messages = append(c.messages, m)
	return nil
}

// wantClose waits for the server's close frame, which has to carry this status (0: none), and then for the end of the
// connection. Nothing else may come any more.
func (c *conn) wantClose(status int) { c.wantCloseOf(status, nil) }

// wantCloseOf is wantClose for one of several statuses, or, with nil, for the first.
func (c *conn) wantCloseOf(status int, others []int) {
	if c.err != nil {
		return
	}
	f, err := c.readFrame()
	for err == nil && (f.op() == opPing || c.server.NoEcho && f.op() <= opBinary) {
		f, err = c.readFrame() // what the handler has to say by itself
	}
	want := describeStatus(status)
	switch {
	case isTimeout(err):
		c.fail("no close frame came within %v, want %s", c.server.Patience, want)
	case isEnd(err):
		c.fail("the server dropped the connection without a close frame, want %s", want)
	case err != nil:
		c.fail("%w, want %s", err, want)
	case f.op() != opClose:
		c.fail("the server sent %s, want %s", describe(f.op(), f.payload), want)
	case len(c.pongs) > 0 || !c.server.NoEcho && len(c.messages) > 0 || c.partial != nil && !c.server.NoEcho:
		c.fail("the server sent %d messages and %d pongs that nobody asked for", len(c.messages), len(c.pongs))
	default:
		c.checkClose(f.payload, append([]int{status}, others...), want)
	}
	c.wantEnd()
}

// checkClose checks the payload of the server's close frame.
func (c *conn) checkClose(payload []byte, statuses []int, want string) {
	got := 0
	if len(payload) == 1 {
		c.fail("the server sent a close frame with a payload of one byte")
		return
	}
	if len(payload) > 1 {
		got = int(binary.BigEndian.Uint16(payload))
		if !utf8.Valid(payload[2:]) {
			c.fail("the server sent a close reason that is not UTF-8")
		}
	}
	if !slices.Contains(statuses, got) {
		c.fail("the server closed with %s, want %s", describeClose(payload), want)
	}
}

// wantEnd answers the server's close frame if it had begun, and waits for the end of the connection. A server that has
// ended it already may have reset it.
func (c *conn) wantEnd() {
	if c.err != nil {
		return
	}
	if !c.ended {
		c.send(bye(1000, ""))
	}
	c.ended = true
	if c.inFrame { // no server can find the answer in there
		c.halfClose()
	}
	c.patience()
	b, err := c.r.ReadByte()
	switch {
	case err == nil:
		c.fail("the server sent %#x after its close frame", b)
	case isTimeout(err):
		c.fail("the server did not end the connection within %v after the close handshake", c.server.Patience)
	case !isEnd(err):
		c.fail("after the close handshake: %w", err)
	}
}

// halfClose ends the sending half of the connection, where it has two.
func (c *conn) halfClose() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// close closes with a status (0: none); the server has to answer with the same.
func (c *conn) close(status int) {
	if status == 0 {
		c.send(raw(fin|opClose, nil))
	} else {
		c.send(bye(status, ""))
	}
	c.closed(status)
}

// closed waits for the answer to the client's own close.
func (c *conn) closed(status int) {
	c.ended = true
	if status == 0 { // what to answer to no status is not said; browsers' servers answer 1000 or nothing
		c.wantCloseOf(0, []int{1000})
		return
	}
	c.wantClose(status)
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// isEnd reports whether the connection has ended, be it by a reset.
func isEnd(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op) && !op.Timeout()
}
