package load

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// sampled is how many messages there are for each whose payload is compared in full. The number at its start and its
// length are compared in all.
const sampled = 64

// Client is connections to one server, driven by one thread. It is not for several goroutines.
type Client struct {
	addr  netip.AddrPort
	epoll int
	conns []*conn // by descriptor
	all   []*conn
	bare  []int  // descriptors that nothing is read from after the handshake
	in    []byte // what is read into
}

// conn is one connection.
type conn struct {
	fd       int
	index    int
	rest     []byte // read and not parsed
	out      []byte // written and not taken by the socket
	received uint64
	sent     uint64
	pongs    int
	acks     *acks // where the server acknowledges
	closed   bool
}

// New returns a client without connections. Close it when done.
func New(addr netip.AddrPort) (*Client, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &Client{addr: addr, epoll: epoll, in: make([]byte, longest)}, nil
}

// Close closes every connection.
func (c *Client) Close() {
	c.Hangup()
	_ = unix.Close(c.epoll)
}

// Hangup closes every connection, without a close frame.
func (c *Client) Hangup() {
	for _, k := range c.all {
		_ = unix.Close(k.fd)
	}
	for _, fd := range c.bare {
		_ = unix.Close(fd)
	}
	c.all, c.conns, c.bare = nil, nil, nil
}

// Connect opens n more connections on a path, one after the other. The server answers a ping on each at last: it counts
// them in then, which it may do only after the handshake.
func (c *Client) Connect(path string, n int) error {
	for range n {
		if err := c.connect(path, ""); err != nil {
			return fmt.Errorf("connection %d: %w", len(c.all), err)
		}
	}
	return c.settle()
}

func (c *Client) connect(path, subprotocol string) error {
	fd, err := c.dial()
	if err != nil {
		return err
	}
	rest, err := c.handshake(fd, path, subprotocol)
	if err != nil {
		_ = unix.Close(fd)
		return err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	k := &conn{fd: fd, index: len(c.all)}
	if subprotocol == ackProtocol {
		k.acks = new(acks)
	}
	used, err := k.handle(rest, nothing)
	if err != nil {
		_ = unix.Close(fd)
		return err
	}
	k.rest = rest[used:]
	for len(c.conns) <= fd {
		c.conns = append(c.conns, nil)
	}
	c.conns[fd] = k
	c.all = append(c.all, k)
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd)}
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &event)
}

func (c *Client) dial() (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10})
	err = retry(func() error {
		return unix.Connect(fd, &unix.SockaddrInet4{Port: int(c.addr.Port()), Addr: c.addr.Addr().As4()})
	})
	if err != nil {
		_ = unix.Close(fd)
		return 0, fmt.Errorf("connect: %w", err)
	}
	return fd, nil
}

// retry calls f again when a signal has interrupted it.
func retry(f func() error) error {
	for {
		if err := f(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// accepted is the answer to the key of handshake (RFC 6455, section 1.3).
const accepted = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

// handshake returns what the server has sent behind its answer.
func (c *Client) handshake(fd int, path, subprotocol string) (rest []byte, err error) {
	b := make([]byte, 0, 1024)
	b = fmt.Appendf(b, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", path, c.addr)
	if subprotocol != "" {
		b = fmt.Appendf(b, "Sec-WebSocket-Protocol: %s\r\n", subprotocol)
	}
	b = append(b, "\r\n"...)
	if err := retry(func() error { _, err := unix.Write(fd, b); return err }); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	b = b[:0]
	for {
		n := 0
		err := retry(func() (err error) { n, err = unix.Read(fd, b[len(b):cap(b)]); return err })
		if err != nil || n <= 0 {
			return nil, fmt.Errorf("handshake: %d bytes, then %w", len(b), errors.Join(err, errEnd))
		}
		b = b[:len(b)+n]
		if answer, rest, whole := bytes.Cut(b, []byte("\r\n\r\n")); whole {
			if !bytes.HasPrefix(answer, []byte("HTTP/1.1 101 ")) || !bytes.Contains(answer, []byte(accepted)) {
				return nil, fmt.Errorf("handshake: the server answers %q", b)
			}
			return rest, nil
		}
	}
}

var (
	errEnd  = errors.New("the server has closed the connection")
	errText = errors.New("the server sends text that nobody asked for")
)

// turn waits for events, at most for d, and handles them: onMessage gets every message.
func (c *Client) turn(d time.Duration, onMessage func(*conn, []byte) error) error {
	var events [256]unix.EpollEvent
	n, err := unix.EpollWait(c.epoll, events[:], int(d/time.Millisecond))
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("epoll: %w", err)
	}
	for i := range max(n, 0) {
		k := c.conns[events[i].Fd]
		if k == nil || k.closed {
			continue
		}
		if events[i].Events&unix.EPOLLOUT != 0 && len(k.out) > 0 {
			if err := k.flush(); err != nil {
				return err
			}
		}
		if events[i].Events&^uint32(unix.EPOLLOUT) != 0 {
			if err := c.read(k, onMessage); err != nil {
				return fmt.Errorf("connection %d after %d messages: %w", k.index, k.received, err)
			}
		}
	}
	return nil
}

// read handles what a connection has received.
func (c *Client) read(k *conn, onMessage func(*conn, []byte) error) error {
	for {
		have := copy(c.in, k.rest)
		n, err := unix.Read(k.fd, c.in[have:])
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return nil
		case err != nil:
			return fmt.Errorf("read: %w", err)
		case n == 0:
			return errEnd
		}
		b := c.in[:have+n]
		full := len(b) == len(c.in)
		used, err := k.handle(b, onMessage)
		if err != nil {
			return err
		}
		k.rest = append(k.rest[:0], b[used:]...)
		if !full {
			return nil // edge-triggered, but what comes later, the end too, is an event of its own
		}
	}
}

// handle handles the frames in b and returns how many bytes they take.
func (k *conn) handle(b []byte, onMessage func(*conn, []byte) error) (used int, err error) {
	for {
		op, payload, size, err := parse(b[used:])
		if err != nil || size == 0 {
			return used, err
		}
		used += size
		switch op {
		case opPing:
			err = k.write(appendControl(opPong, payload))
		case opPong:
			k.pongs++
		case opText:
			if k.acks == nil {
				return used, errText
			}
			err = k.acks.told(payload)
		case opClose:
			err = fmt.Errorf("%w with a close frame %q", errEnd, payload)
		default:
			k.received++
			err = onMessage(k, payload)
		}
		if err != nil {
			return used, err
		}
	}
}

// appendControl returns a masked control frame.
func appendControl(op byte, payload []byte) []byte {
	b := []byte{0x80 | op, 0x80 | byte(len(payload)), 0, 0, 0, 0} // a key of zeros: nothing to mask
	return append(b, payload...)
}

// write writes b, and keeps what the socket does not take.
func (k *conn) write(b []byte) error {
	if len(k.out) > 0 {
		k.out = append(k.out, b...)
		return nil
	}
	n, err := unix.Write(k.fd, b)
	if err != nil {
		if !errors.Is(err, unix.EAGAIN) {
			return fmt.Errorf("write: %w", err)
		}
		n = 0
	}
	if n < len(b) {
		k.out = append(k.out[:0], b[n:]...)
	}
	return nil
}

func (k *conn) flush() error {
	b := k.out
	k.out = k.out[:0]
	return k.writeRest(b)
}

func (k *conn) writeRest(b []byte) error {
	n, err := unix.Write(k.fd, b)
	if err != nil {
		if !errors.Is(err, unix.EAGAIN) {
			return fmt.Errorf("write: %w", err)
		}
		n = 0
	}
	k.out = b[:copy(b, b[n:])]
	return nil
}
