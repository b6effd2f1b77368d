package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The first bytes of frames.
const (
	text      = 0x1
	more      = 0x0
	fin       = 0x80
	finBinary = 0x82
	finClose  = 0x88
	finPing   = 0x89
	finPong   = 0x8A
	rsv1      = 0x40
)

// peer is a client's connection.
type peer struct {
	nc net.Conn
	in *bufio.Reader

	mu  sync.Mutex
	out []byte
}

// sources spreads the connections over the addresses of this machine, so that they do not run out of ports.
var sources atomic.Uint32

// open opens a connection. A mute one has small buffers on both sides of the path: what is not read soon fills them.
func open(addr string, mute bool) (net.Conn, error) {
	d := net.Dialer{
		Timeout:   10 * time.Second,
		LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+sources.Add(1)%16))},
		KeepAlive: -1,
		Control: func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) {
				_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
				if mute {
					_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<10)
					_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, 1400)
				}
			})
		},
	}
	return d.Dial("tcp4", addr)
}

// request is a handshake.
func request(path string, fields ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + strings.Join(fields, "") + "\r\n"
}

// refused is the status of a handshake that was not answered with 101.
type refused string

func (r refused) Error() string { return "refused with " + string(r) }

// dial connects and does the handshake. on may be nil.
func dial(addr, path string, on func() (net.Conn, error), fields ...string) (*peer, error) {
	if on == nil {
		on = func() (net.Conn, error) { return open(addr, false) }
	}
	nc, err := on()
	if err != nil {
		return nil, err
	}
	p := &peer{nc: nc, in: bufio.NewReaderSize(nc, 512)}
	if err := p.handshake(path, fields); err != nil {
		p.reset()
		return nil, err
	}
	return p, nil
}

func (p *peer) handshake(path string, fields []string) error {
	_ = p.nc.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(p.nc, request(path, fields...)); err != nil {
		return err
	}
	for first := ""; ; {
		line, err := p.in.ReadString('\n')
		if err != nil {
			return err
		}
		if first == "" {
			first = line
		}
		if line != "\r\n" {
			continue
		}
		if !strings.HasPrefix(first, "HTTP/1.1 101 ") {
			_, rest, _ := strings.Cut(first, " ")
			return refused(rest[:min(3, len(rest))])
		}
		return p.nc.SetDeadline(time.Time{})
	}
}

// appendFrame appends a masked frame, whose key is zero.
func appendFrame(b []byte, first byte, payload []byte) []byte {
	b = append(appendHeader(b, first, uint64(len(payload))), 0, 0, 0, 0)
	return append(b, payload...)
}

// appendHeader appends a header up to the length, whatever that is.
func appendHeader(b []byte, first byte, n uint64) []byte {
	switch {
	case n < 126:
		return append(b, first, 0x80|byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, first, 0x80|126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, first, 0x80|127), n)
	}
}

// frame writes a frame.
func (p *peer) frame(first byte, payload []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out = appendFrame(p.out[:0], first, payload)
	_, err := p.nc.Write(p.out)
	return err
}

// fate reads on until the connection is over, and returns how: the status of the close frame, or what else was seen. It
// waits until the time given.
func (p *peer) fate(until time.Time) string {
	_ = p.nc.SetReadDeadline(until)
	var h [2]byte
	for {
		if _, err := io.ReadFull(p.in, h[:]); err != nil {
			return told(err)
		}
		n := int(h[1] & 0x7F)
		if n > 125 {
			wide := []byte{0, 0, 0, 0, 0, 0, 0, 0}[:map[int]int{126: 2, 127: 8}[n]]
			if _, err := io.ReadFull(p.in, wide); err != nil {
				return told(err)
			}
			n = 0
			for _, b := range wide {
				n = n<<8 | int(b)
			}
		}
		if h[0] == finClose && n >= 2 {
			var status [2]byte
			_, err := io.ReadFull(p.in, status[:])
			if err != nil {
				return told(err)
			}
			return strconv.Itoa(int(binary.BigEndian.Uint16(status[:])))
		}
		if _, err := p.in.Discard(n); err != nil {
			return told(err)
		}
	}
}

// told names what an error says of a connection.
func told(err error) string {
	var r refused
	var timeout net.Error
	switch {
	case errors.As(err, &r):
		return "HTTP " + string(r)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "cut"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "left open"
	default:
		return fmt.Sprint(err)
	}
}

// reset cuts the connection off.
func (p *peer) reset() { reset(p.nc) }

func reset(nc net.Conn) {
	if tcp, ok := nc.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = nc.Close()
}
