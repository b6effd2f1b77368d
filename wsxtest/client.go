package wsxtest

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// patience is how long a client waits for what has to come.
const patience = 10 * time.Second

// Opcode is the type of a frame.
type Opcode = wire.Opcode

// Frame is one frame as it came.
type Frame struct {
	Fin     bool
	RSV     byte // the three reserved bits, in place
	Op      Opcode
	Payload []byte
}

// Client is the client's side of a connection.
type Client struct {
	tb   testing.TB
	conn net.Conn
	r    *bufio.Reader
}

// NewClient returns a client on a connection whose handshake is done. It is closed with the test.
func NewClient(tb testing.TB, nc net.Conn) *Client {
	tb.Helper()
	c := &Client{tb: tb, conn: nc, r: bufio.NewReader(nc)}
	tb.Cleanup(func() { _ = c.conn.Close() })
	return c
}

// Pipe returns a client in memory and the server's side of it, for [hub.Hub.Serve]. It has no buffer: a write waits
// until it is read.
func Pipe(tb testing.TB) (*Client, net.Conn) {
	tb.Helper()
	client, server := net.Pipe()
	tb.Cleanup(func() { _ = server.Close() })
	return NewClient(tb, client), server
}

// Conn returns the connection itself, to do with it what no client should.
func (c *Client) Conn() net.Conn { return c.conn }

// Raw writes bytes as they are.
func (c *Client) Raw(p []byte) error {
	_, err := c.conn.Write(p)
	return err
}

// AppendFrame appends a masked frame.
func AppendFrame(b []byte, fin bool, op Opcode, payload []byte) []byte {
	var key [4]byte
	_, _ = rand.Read(key[:])
	b = wire.AppendHeader(b, fin, op, len(payload), &key)
	start := len(b)
	b = append(b, payload...)
	wire.Mask(b[start:], binary.LittleEndian.Uint32(key[:]))
	return b
}

// Frame writes one masked frame.
func (c *Client) Frame(fin bool, op Opcode, payload []byte) error {
	return c.Raw(AppendFrame(nil, fin, op, payload))
}

// SendText sends a text message.
func (c *Client) SendText(s string) {
	c.tb.Helper()
	c.Send(ws.Message{Type: ws.Text, Data: []byte(s)})
}

// Send sends a message.
func (c *Client) Send(m ws.Message) {
	c.tb.Helper()
	if err := c.Frame(true, Opcode(m.Type), m.Data); err != nil {
		c.tb.Fatalf("sending a message: %v", err)
	}
}

// SendClose sends a close frame; status 0 sends one without a payload.
func (c *Client) SendClose(status ws.Status, reason string) {
	c.tb.Helper()
	if err := c.Frame(true, wire.OpClose, closePayload(status, reason)); err != nil {
		c.tb.Fatalf("sending a close frame: %v", err)
	}
}

func closePayload(status ws.Status, reason string) []byte {
	if status == 0 {
		return nil
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(status)), reason...)
}

// ReadFrame reads one frame, whatever it is.
func (c *Client) ReadFrame() (Frame, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(patience)) // a pipe that is closed refuses; what came before is still there
	var head [2]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return Frame{}, err
	}
	if head[1]&0x80 != 0 {
		return Frame{}, fmt.Errorf("wsxtest: the server's frame is masked (RFC 6455, section 5.1)")
	}
	n, err := c.length(head[1])
	if err != nil {
		return Frame{}, err
	}
	f := Frame{Fin: head[0]&0x80 != 0, RSV: head[0] & 0x70, Op: Opcode(head[0] & 0x0f), Payload: make([]byte, n)}
	_, err = io.ReadFull(c.r, f.Payload)
	return f, err
}

func (c *Client) length(short byte) (uint64, error) {
	var b [8]byte
	switch short {
	case 126:
		_, err := io.ReadFull(c.r, b[6:])
		return binary.BigEndian.Uint64(b[:]), err
	case 127:
		_, err := io.ReadFull(c.r, b[:])
		return binary.BigEndian.Uint64(b[:]), err
	default:
		return uint64(short), nil
	}
}

// Read returns the next message. Pings are answered and pongs passed over on the way. A close frame is answered, and
// is the error, as a [ws.CloseError].
func (c *Client) Read() (ws.Message, error) {
	var m ws.Message
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return m, err
		}
		switch f.Op {
		case wire.OpPing:
			_ = c.Frame(true, wire.OpPong, f.Payload)
		case wire.OpPong:
		case wire.OpClose:
			_ = c.Frame(true, wire.OpClose, f.Payload)
			return m, closeError(f.Payload)
		default:
			if f.Op != wire.OpContinuation {
				m.Type = ws.MessageType(f.Op)
			}
			m.Data = append(m.Data, f.Payload...)
			if f.Fin {
				return m, nil
			}
		}
	}
}

func closeError(payload []byte) ws.CloseError {
	if len(payload) < 2 {
		return ws.CloseError{Status: ws.StatusNoStatusRcvd}
	}
	return ws.CloseError{Status: ws.Status(binary.BigEndian.Uint16(payload)), Reason: string(payload[2:])}
}

// ReadText returns the next message's text.
func (c *Client) ReadText() string {
	c.tb.Helper()
	m, err := c.Read()
	if err != nil {
		c.tb.Fatalf("reading a message: %v", err)
	}
	if m.Type != ws.Text {
		c.tb.Fatalf("got a %s message, want text", m.Type)
	}
	return string(m.Data)
}

// ReadClose reads on to the close frame, answers it, and returns it. Messages before it are passed over.
func (c *Client) ReadClose() ws.CloseError {
	c.tb.Helper()
	for {
		_, err := c.Read()
		var e ws.CloseError
		if errors.As(err, &e) {
			return e
		}
		if err != nil {
			c.tb.Fatalf("waiting for a close frame: %v", err)
		}
	}
}

// Close closes the connection in order, and waits for the server to hang up.
func (c *Client) Close() {
	c.tb.Helper()
	c.SendClose(ws.StatusNormalClosure, "")
	for {
		if _, err := c.ReadFrame(); err != nil {
			break
		}
	}
	_ = c.conn.Close()
}

// Reset cuts a connection off with a reset when there is a TCP socket below it, and any other without a word.
func (c *Client) Reset() { reset(c.conn) }
