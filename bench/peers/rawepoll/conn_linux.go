package main

import (
	"errors"
	"io"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

// bufferSize is how much a loop reads at once, in bytes.
const bufferSize = 64 << 10

// conn is a connection. Once it is added it is its loop's alone.
type conn struct {
	fd     int
	path   string
	member int    // its place among the loop's members; not used on other paths than /broadcast
	in     []byte // the beginning of a frame whose rest has not come
	out    []byte // what the socket has not taken, from sent on
	sent   int
}

// read handles what is there. After a hang-up it reads to the end: no further event tells of it.
func (c *conn) read(l *loop, hangup bool) error {
	for {
		if len(l.in) < len(c.in)+bufferSize {
			l.in = make([]byte, 2*(len(c.in)+bufferSize))
		}
		have := copy(l.in, c.in)
		n, errno := recv(c.fd, l.in[have:])
		switch {
		case errno == syscall.EINTR:
			continue
		case errno == syscall.EAGAIN:
			return nil
		case errno != 0:
			return errno
		case n == 0:
			return io.EOF
		}
		used, err := c.handle(l, l.in[:have+n])
		c.in = append(c.in[:0], l.in[used:have+n]...)
		if len(l.out) > 0 {
			err = errors.Join(c.write(l.out), err)
			l.out = l.out[:0]
		}
		if err != nil || !hangup && have+n < len(l.in) {
			return err
		}
	}
}

// handle handles the whole frames of b.
func (c *conn) handle(l *loop, b []byte) (used int, err error) {
	for {
		f, err := peer.Next(b[used:])
		if err != nil || f.Size == 0 {
			return used, err
		}
		used += f.Size
		switch {
		case f.Op == peer.OpClose:
			l.out = peer.AppendUnmasked(l.out, peer.OpClose, f)
			return used, io.EOF
		case f.Op == peer.OpPing:
			l.out = peer.AppendUnmasked(l.out, peer.OpPong, f)
		case f.Op == peer.OpPong:
		case c.path == "/ingest":
			l.handled++
		case c.path == "/broadcast":
			l.round = peer.AppendUnmasked(l.round, f.Op, f)
		default:
			l.out = peer.AppendUnmasked(l.out, f.Op, f)
		}
	}
}

// write sends b, or keeps what the socket does not take until it takes more.
func (c *conn) write(b []byte) error {
	if len(c.out) > 0 {
		c.out = append(c.out, b...)
		return nil
	}
	n, errno := send(c.fd, b)
	if errno != 0 && errno != syscall.EAGAIN {
		return errno
	}
	if n < len(b) {
		c.out = append(c.out, b[n:]...)
	}
	return nil
}

// flush sends what was kept, as far as the socket takes it.
func (c *conn) flush() error {
	for c.sent < len(c.out) {
		n, errno := send(c.fd, c.out[c.sent:])
		if errno == syscall.EAGAIN {
			return nil
		}
		if errno != 0 {
			return errno
		}
		c.sent += n
	}
	c.out, c.sent = c.out[:0], 0
	return nil
}

func (c *conn) close() { _ = unix.Close(c.fd) }
