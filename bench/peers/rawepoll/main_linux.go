// Command rawepoll is the limit: one epoll loop, non-blocking system calls that the Go scheduler does not hear of, and
// no more WebSocket than moves the bytes. It checks nothing, and bounds nothing.
package main

import (
	"flag"
	"log"
	"net"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

const bufferSize = 64 << 10

// conn is a connection. All but its making is the loop's.
type conn struct {
	fd      int
	path    string
	in, out []byte // what was read and not handled, and written and not taken
}

// loop is what one thread does.
type loop struct {
	epoll   int
	arrived chan *conn
	conns   []*conn // by descriptor
	members []*conn
	in, out []byte
	round   []byte // what is to be broadcast after this turn
}

func main() {
	flag.Parse()
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		log.Fatal(err)
	}
	l := &loop{epoll: epoll, arrived: make(chan *conn, 1<<16), in: make([]byte, bufferSize)}
	go l.run()
	ln := peer.Listen()
	for {
		nc, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		l.accept(nc)
	}
}

// accept takes a connection over once its handshake is done. One comes after the other: this is no server, but a limit.
func (l *loop) accept(nc net.Conn) {
	defer nc.Close()
	path, err := peer.Upgrade(nc)
	if err != nil {
		return
	}
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		return
	}
	fd := -1
	_ = raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 3) })
	if err != nil {
		return
	}
	l.arrived <- &conn{fd: fd, path: path}
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd)} //nolint:gosec // a descriptor
	_ = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &event)
}

func (l *loop) run() {
	runtime.LockOSThread()
	var events [512]unix.EpollEvent
	for {
		n, err := unix.EpollWait(l.epoll, events[:], -1)
		if err != nil {
			continue
		}
		l.welcome()
		for i := range n {
			if c := l.conns[events[i].Fd]; c != nil {
				l.serve(c, events[i].Events)
			}
		}
		if len(l.round) > 0 {
			for _, m := range l.members {
				m.write(l.round)
			}
			l.round = l.round[:0]
		}
	}
}

func (l *loop) welcome() {
	for {
		select {
		case c := <-l.arrived:
			for len(l.conns) <= c.fd {
				l.conns = append(l.conns, nil)
			}
			l.conns[c.fd] = c
			if c.path == "/broadcast" {
				l.members = append(l.members, c)
			}
		default:
			return
		}
	}
}

func (l *loop) serve(c *conn, events uint32) {
	if events&unix.EPOLLOUT != 0 && len(c.out) > 0 {
		b := c.out
		c.out = c.out[:0]
		c.write(b)
	}
	if events&^uint32(unix.EPOLLOUT) != 0 && !l.read(c) {
		l.end(c)
	}
}

func (l *loop) end(c *conn) {
	l.conns[c.fd] = nil
	for i, m := range l.members {
		if m == c {
			l.members[i] = l.members[len(l.members)-1]
			l.members = l.members[:len(l.members)-1]
			break
		}
	}
	_ = unix.Close(c.fd)
}

// read handles what is there. False: the end.
func (l *loop) read(c *conn) bool {
	for {
		if len(l.in) < len(c.in)+bufferSize {
			l.in = make([]byte, 2*(len(c.in)+bufferSize))
		}
		have := copy(l.in, c.in)
		n, errno := recv(c.fd, l.in[have:])
		if errno == syscall.EAGAIN {
			return true
		}
		if errno != 0 || n == 0 {
			return false
		}
		b := l.in[:have+n]
		used := l.handle(c, b)
		c.in = append(c.in[:0], b[used:]...)
		if len(l.out) > 0 {
			c.write(l.out)
			l.out = l.out[:0]
		}
		if len(b) < len(l.in) {
			return true // the end is an event of its own
		}
	}
}

func (l *loop) handle(c *conn, b []byte) (used int) {
	for {
		f := peer.Next(b[used:])
		if f.Size == 0 {
			return used
		}
		used += f.Size
		switch {
		case f.Op == 9:
			l.out = peer.AppendFrame(l.out, 10, f.Payload)
		case f.Op > 8:
		case c.path == "/ingest":
			peer.Handled.Add(1)
		case c.path == "/broadcast":
			l.round = peer.AppendFrame(l.round, f.Op, f.Payload)
		default:
			l.out = peer.AppendFrame(l.out, f.Op, f.Payload)
		}
	}
}

func (c *conn) write(b []byte) {
	n := 0
	if len(c.out) == 0 || &c.out[0] == &b[0] {
		if sent, errno := send(c.fd, b); errno == 0 {
			n = sent
		}
	}
	if n < len(b) {
		c.out = append(c.out, b[n:]...)
	}
}

func recv(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
		syscall.MSG_DONTWAIT, 0, 0) //nolint:gosec // p lives as long as the call
	return int(n), errno
}

func send(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
		syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0) //nolint:gosec // p lives as long as the call
	return int(n), errno
}
