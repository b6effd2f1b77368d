package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

// conn is a connection. One goroutine reads; several write.
type conn struct {
	net.Conn
	path string

	mu  sync.Mutex
	out bytes.Buffer // answers that are not written yet
}

func (c *conn) upgrade() error {
	u := ws.Upgrader{OnRequest: func(uri []byte) error {
		c.path = string(uri)
		return nil
	}}
	if err := c.SetReadDeadline(time.Now().Add(peer.ReadTimeout)); err != nil {
		return err
	}
	if _, err := u.Upgrade(c.Conn); err != nil {
		return err
	}
	return c.SetReadDeadline(time.Time{})
}

// Read writes the answers that have collected, then reads. The buffered reader calls it when it has nothing left.
func (c *conn) Read(p []byte) (int, error) {
	if err := c.flush(); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

var (
	errFragment = errors.New("a fragment")
	errTooLong  = errors.New("a message over 16 MiB")
	errText     = errors.New("text that is no UTF-8")
)

// read handles frames until the end, in memory that is used again.
func (c *conn) read() error {
	in := bufio.NewReaderSize(c, 4096)
	var payload []byte
	for {
		h, err := ws.ReadHeader(in)
		if err != nil {
			return err
		}
		if err := check(h); err != nil {
			return err
		}
		if n := int(h.Length); n <= cap(payload) {
			payload = payload[:n]
		} else {
			payload = make([]byte, n)
		}
		if _, err := io.ReadFull(in, payload); err != nil {
			return err
		}
		ws.Cipher(payload, h.Mask, 0)
		if err := c.handle(h.OpCode, payload); err != nil {
			return err
		}
	}
}

func check(h ws.Header) error {
	if !h.Fin {
		return errFragment
	}
	if h.Length > peer.MaxMessage {
		return errTooLong
	}
	return ws.CheckHeader(h, ws.StateServerSide)
}

func (c *conn) handle(op ws.OpCode, p []byte) error {
	switch op {
	case ws.OpPing:
		return c.answer(ws.OpPong, p)
	case ws.OpPong:
		return nil
	case ws.OpClose:
		return errors.Join(c.answer(ws.OpClose, p), io.EOF)
	case ws.OpText:
		if !utf8.Valid(p) {
			return errText
		}
	}
	switch c.path {
	case "/ingest":
		batch.Add(p)
		return nil
	case "/broadcast":
		frame, err := ws.CompileFrame(ws.NewFrame(op, true, p))
		if err == nil {
			members.Each(func(m *conn) { m.send(frame) })
		}
		return err
	default:
		return c.answer(op, p)
	}
}

// answer adds a frame to those that the next flush writes.
func (c *conn) answer(op ws.OpCode, p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return ws.WriteFrame(&c.out, ws.NewFrame(op, true, p))
}

func (c *conn) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out.Len() == 0 {
		return nil
	}
	_, err := c.Write(c.out.Bytes())
	c.out.Reset()
	return err
}

// send writes a frame that is shared. One that fails is for the reader to find.
func (c *conn) send(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.Write(frame)
}

func (c *conn) ping() error { return errors.Join(c.answer(ws.OpPing, nil), c.flush()) }
