//go:build amd64 || arm64 || arm || riscv64 || loong64 || ppc64le

package wire

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/fiberwsx/wsx/internal/turn"
)

// lot is where detached connections wait that have nothing to do: without a goroutine, a stack or a place in Go's
// poller each. It has one epoll descriptor, for which one goroutine waits in Go's poller, and a few goroutines that are
// at hand for those that wake. All of that exists only while there are connections, and for lingerEmpty.
type lot struct {
	mu    sync.Mutex
	watch *watch
	conns map[int32]*Conn // by descriptor; all that have ever waited here
	empty *time.Timer     // closes the watch
	spare []chan *Conn    // of goroutines that have nothing to do: their stacks have grown to what a handler needs
	turns turn.Turns      // of serve
}

const (
	lingerEmpty = 100 * time.Millisecond
	mostSpare   = 4
	mostAtOnce  = 8 // connections that serve wakes before it takes a turn
)

// watch is an epoll descriptor with its goroutine.
type watch struct {
	fd   int
	file *os.File
}

// awaited is what wakes a connection, and guarded what interrupts one that has a goroutine: once, then it has to be
// armed again. That is level-triggered, so what came before counts as well.
const (
	awaited = syscall.EPOLLIN | guarded
	guarded = syscall.EPOLLRDHUP | syscall.EPOLLONESHOT
)

// park lets c wait without a goroutine. With true, c belongs to whoever wakes it, and must not be touched any more.
func (l *lot) park(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.napping = l.armLocked(c, awaited)
	return c.napping
}

// guard interrupts c, which waits in Go's poller, when its peer finishes writing, or if it has.
func (l *lot) guard(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.armLocked(c, guarded)
}

func (l *lot) armLocked(c *Conn, events uint32) bool {
	if l.watch == nil && !l.openLocked() {
		return false
	}
	fd := int32(c.socket.(*detached).fd)
	op := syscall.EPOLL_CTL_MOD
	if l.conns[fd] != c {
		op = syscall.EPOLL_CTL_ADD
		l.conns[fd] = c
	}
	event := syscall.EpollEvent{Events: events, Fd: fd}
	if syscall.EpollCtl(l.watch.fd, op, int(fd), &event) == nil {
		return true
	}
	if op == syscall.EPOLL_CTL_ADD {
		l.forgetLocked(fd)
	}
	return false
}

func (l *lot) openLocked() bool {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return false
	}
	file := os.NewFile(uintptr(fd), "epoll")
	if err := file.SetReadDeadline(time.Time{}); err != nil { // Go's poller does not know it
		_ = file.Close()
		return false
	}
	l.watch = &watch{fd: fd, file: file}
	l.conns = make(map[int32]*Conn)
	go l.serve(l.watch)
	return true
}

// leave makes sure that c is not woken any more. Its descriptor is to be closed then, which takes it out of the epoll.
func (l *lot) leave(c *Conn) {
	fd := int32(c.socket.(*detached).fd)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns[fd] == c {
		l.forgetLocked(fd)
	}
}

func (l *lot) forgetLocked(fd int32) {
	delete(l.conns, fd)
	switch {
	case len(l.conns) > 0:
	case l.empty == nil:
		l.empty = time.AfterFunc(lingerEmpty, l.closeEmpty)
	default:
		l.empty.Reset(lingerEmpty)
	}
}

func (l *lot) closeEmpty() {
	l.mu.Lock()
	w := l.watch
	if w == nil || len(l.conns) > 0 {
		l.mu.Unlock()
		return
	}
	l.watch, l.conns = nil, nil
	for _, hand := range l.spare {
		close(hand)
	}
	l.spare = nil
	l.mu.Unlock()
	_ = w.file.Close() // it waits for serve, which may wait for mu
}

// serve wakes connections until its watch is closed.
func (l *lot) serve(w *watch) {
	raw, err := w.file.SyscallConn()
	if err != nil {
		return
	}
	var events [mostAtOnce]syscall.EpollEvent
	_ = raw.Read(func(uintptr) bool {
		for {
			n := w.look(events[:])
			for i := range n {
				l.wake(events[i].Fd)
			}
			if n < len(events) { // Go's poller tells of every event that comes after this look
				return false
			}
			runtime.Gosched() // so that a thousand that wake at once are not a thousand goroutines
			l.turns.Take()    // and do not all run before those that wait in Go's poller
		}
	})
}

// look returns how many events there are now.
func (w *watch) look(events []syscall.EpollEvent) int {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(w.fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0) //nolint:gosec // events live as long as the call
	if errno != 0 { // not EINTR: it does not wait
		return 0
	}
	return int(n)
}

// wake gives a connection a goroutine, if it naps, and interrupts one that has a goroutine. An event may be of a
// descriptor that was another one's before: that does no harm.
func (l *lot) wake(fd int32) {
	l.mu.Lock()
	c := l.conns[fd]
	guards := c != nil && !c.napping
	if c != nil && c.napping {
		c.napping = false
		l.employLocked(c)
	}
	l.mu.Unlock()
	if guards {
		c.socket.(*detached).interrupt() // it parks then, which tells of the end
	}
}

// employLocked finds a goroutine for c.
func (l *lot) employLocked(c *Conn) {
	last := len(l.spare) - 1
	if last < 0 {
		go l.work(c)
		return
	}
	l.spare[last] <- c
	l.spare = l.spare[:last]
}

// work is the goroutine of a connection that has woken, then of others.
func (l *lot) work(c *Conn) {
	hand := make(chan *Conn, 1)
	for c != nil {
		c.wake()
		if !l.keep(hand) {
			return
		}
		c = <-hand
	}
}

// keep reports whether a goroutine may wait for the next connection.
func (l *lot) keep(hand chan *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.watch == nil || len(l.spare) >= mostSpare {
		return false
	}
	l.spare = append(l.spare, hand)
	return true
}

// has reports whether c waits in the lot.
func (l *lot) has(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return c.napping
}
