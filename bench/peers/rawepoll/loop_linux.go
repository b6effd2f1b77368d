package main

import (
	"log"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// loop is what one thread does. It allocates nothing once its buffers have grown.
type loop struct {
	epoll, wake int
	others      []*loop
	conns       []*conn // by descriptor
	members     []*conn
	in, out     []byte
	round       []byte // what is to be broadcast after this turn
	handled     int    // frames of /ingest

	mail    atomic.Bool // something is in the fields below
	mu      sync.Mutex  // guards them
	arrived []*conn
	foreign []byte // what other loops broadcast
	spare   []byte
}

func newLoop() (*loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	wake, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	l := &loop{epoll: epoll, wake: wake, in: make([]byte, bufferSize)}
	return l, l.watch(wake, unix.EPOLLIN)
}

func (l *loop) watch(fd int, events uint32) error {
	event := unix.EpollEvent{Events: events | unix.EPOLLET, Fd: int32(fd)}
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &event)
}

// add gives c to the loop, from any goroutine. The first event, which says that c is writable, follows at once.
func (l *loop) add(c *conn) {
	l.mu.Lock()
	l.arrived = append(l.arrived, c)
	l.mail.Store(true)
	l.mu.Unlock()
	if err := l.watch(c.fd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP); err != nil {
		log.Print(err)
	}
}

// post gives the loop what another one broadcasts.
func (l *loop) post(round []byte) {
	l.mu.Lock()
	first := len(l.foreign) == 0
	l.foreign = append(l.foreign, round...)
	l.mail.Store(true)
	l.mu.Unlock()
	if first {
		notify(l.wake)
	}
}

func (l *loop) run() {
	runtime.LockOSThread()
	var events [512]unix.EpollEvent
	for {
		n := wait(l.epoll, events[:])
		if l.mail.Load() {
			l.takeMail()
		}
		for i := range n {
			if events[i].Fd == int32(l.wake) {
				continue // the mail is taken already; nobody reads the counter, of which every increase is an event
			}
			if c := l.conns[events[i].Fd]; c != nil {
				l.serve(c, events[i].Events)
			}
		}
		if len(l.round) > 0 {
			for _, other := range l.others {
				other.post(l.round)
			}
			l.broadcast(l.round)
			l.round = l.round[:0]
		}
	}
}

func (l *loop) takeMail() {
	l.mu.Lock()
	l.mail.Store(false)
	for i, c := range l.arrived {
		l.welcome(c)
		l.arrived[i] = nil
	}
	l.arrived = l.arrived[:0]
	foreign := l.foreign
	l.foreign, l.spare = l.spare[:0], foreign
	l.mu.Unlock()
	if len(foreign) > 0 {
		l.broadcast(foreign)
	}
}

func (l *loop) welcome(c *conn) {
	for len(l.conns) <= c.fd {
		l.conns = append(l.conns, nil)
	}
	l.conns[c.fd] = c
	if c.path == "/broadcast" {
		c.member = len(l.members)
		l.members = append(l.members, c)
	}
}

func (l *loop) serve(c *conn, events uint32) {
	const hangup = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	var err error
	if events&unix.EPOLLOUT != 0 && len(c.out) > 0 {
		err = c.flush()
	}
	if err == nil && events&(unix.EPOLLIN|hangup) != 0 {
		err = c.read(l, events&hangup != 0)
	}
	if err != nil {
		l.end(c)
	}
}

// broadcast sends a round to the loop's own. One that fails has an event of its own.
func (l *loop) broadcast(round []byte) {
	for _, c := range l.members {
		_ = c.write(round)
	}
}

func (l *loop) end(c *conn) {
	l.conns[c.fd] = nil
	if c.path == "/broadcast" {
		last := len(l.members) - 1
		l.members[c.member] = l.members[last]
		l.members[c.member].member = c.member
		l.members = l.members[:last]
	}
	c.close()
}
