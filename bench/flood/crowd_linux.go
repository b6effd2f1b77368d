package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// pause is the time between two messages of one polite client.
const pause = 200 * time.Millisecond

// patience is how long an echo is waited for at the end.
const patience = 10 * time.Second

// size is the payload of a message: the time of its writing, and some more.
const size = 64

// crowd is what the process of the polite clients does: each sends a message every [pause], evenly spread over the
// time, whether or not the earlier ones have come back. It is one thread in one loop, so that no scheduler but the
// kernel's stands between a client and its socket.
type crowd struct {
	epoll   int
	timer   int
	members []*member
	next    int
	over    bool // nothing is to be sent any more

	sent, received int
	took           []trip
	asked          time.Time // for figures, last; zero: not yet
	host           host
	failed         error
	out            *json.Encoder
}

// member is one of the clients.
type member struct {
	fd  int
	in  []byte // read and not yet looked at
	oob [64]byte
	out [6 + size]byte
}

// bePolite runs the clients until nobody gives orders any more.
func bePolite(ctx context.Context, o options) error {
	runtime.LockOSThread()
	debug.SetGCPercent(-1) // it makes next to nothing
	debug.SetMemoryLimit(256 << 20)
	hurry(politeHurry) // it sleeps nearly always
	c := &crowd{out: json.NewEncoder(os.Stdout), host: watchHost(serverCore, clientCore)}
	for i := range o.clients {
		if err := c.connect(o.target); err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
	}
	if err := c.listen(pause / time.Duration(o.clients)); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if done, err := c.round(); done || err != nil {
			return err
		}
	}
	return ctx.Err()
}

// connect adds a client. The kernel notes for it when each packet came.
func (c *crowd) connect(addr string) error {
	p, err := dial(addr, "/echo", nil)
	if err != nil {
		return err
	}
	defer p.nc.Close()
	raw, err := p.nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	m := &member{}
	var failed error
	err = raw.Control(func(fd uintptr) {
		if m.fd, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 3); failed == nil {
			failed = unix.SetsockoptInt(m.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
		}
	})
	m.in, _ = p.in.Peek(p.in.Buffered())
	m.in = slices.Clone(m.in)
	c.members = append(c.members, m)
	return errors.Join(err, failed)
}

// Who has woken the loop, other than a client.
const (
	byOrder = -1
	byTimer = -2
)

// listen makes ready to wait for the clients, for the time to send and for orders.
func (c *crowd) listen(gap time.Duration) (err error) {
	if c.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if c.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return err
	}
	every := unix.NsecToTimespec(int64(gap))
	if err := unix.TimerfdSettime(c.timer, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		return err
	}
	err = errors.Join(c.add(c.timer, byTimer), c.add(0, byOrder))
	for i, m := range c.members {
		err = errors.Join(err, c.add(m.fd, i))
	}
	return err
}

func (c *crowd) add(fd, who int) error {
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(who)})
}

// round waits for something to do and does it.
func (c *crowd) round() (done bool, err error) {
	var events [64]unix.EpollEvent
	n, err := unix.EpollWait(c.epoll, events[:], -1)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return false, err
	}
	for _, e := range events[:max(0, n)] {
		switch who := int(e.Fd); who {
		case byTimer:
			c.send()
		case byOrder:
			if done, err := c.obey(); done || err != nil {
				return done, err
			}
		default:
			c.hear(c.members[who])
		}
	}
	return false, nil
}

// send writes the messages that are due.
func (c *crowd) send() {
	var due [8]byte
	if n, _ := unix.Read(c.timer, due[:]); n < len(due) || c.over {
		return
	}
	c.host.look(time.Now())
	for range binary.NativeEndian.Uint64(due[:]) {
		m := c.members[c.next%len(c.members)]
		c.next++
		var payload [size]byte
		c.sent++
		binary.LittleEndian.PutUint64(payload[:], uint64(time.Now().UnixNano()))
		c.fail(m.frame(finBinary, payload[:]))
	}
}

func (m *member) frame(first byte, payload []byte) error {
	b := appendFrame(m.out[:0], first, payload)
	n, err := unix.Write(m.fd, b)
	if err == nil && n < len(b) {
		err = errors.New("the socket is full")
	}
	return err
}

func (c *crowd) fail(err error) {
	if c.failed == nil {
		c.failed = err
	}
}

// obey takes an order; it is done when none will come any more.
func (c *crowd) obey() (done bool, err error) {
	var what [1]byte
	if n, err := unix.Read(0, what[:]); n == 0 || err != nil {
		return true, err
	}
	if what[0] == orderSettle {
		c.settle()
	}
	now := time.Now()
	f := figuresOf(c.took, c.asked, now, c.host.took)
	c.asked = now
	if c.failed != nil {
		f.Failed = c.failed.Error()
	}
	c.took, c.host.took = c.took[:0], c.host.took[:0]
	return false, c.out.Encode(f)
}

// settle waits for the echoes that are missing.
func (c *crowd) settle() {
	c.over = true
	_ = unix.EpollCtl(c.epoll, unix.EPOLL_CTL_DEL, 0, nil)
	_ = unix.EpollCtl(c.epoll, unix.EPOLL_CTL_DEL, c.timer, nil)
	var events [64]unix.EpollEvent
	for end := time.Now().Add(patience); c.received < c.sent && c.failed == nil && time.Now().Before(end); {
		n, _ := unix.EpollWait(c.epoll, events[:], 100)
		for _, e := range events[:max(0, n)] {
			c.hear(c.members[e.Fd])
		}
	}
	if lost := c.sent - c.received; lost > 0 {
		c.fail(fmt.Errorf("%d echoes of %d are missing", lost, c.sent))
	}
}
