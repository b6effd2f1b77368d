//go:build amd64 || arm64 || arm || riscv64 || loong64 || ppc64le

package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// detached drives a TCP socket through a descriptor of its own, so that whoever accepted the socket can free what it
// holds for it. A connection that has nothing to do waits in the engine's lot without a goroutine; a busy one's waits
// in Go's poller without a buffer. What can be written at once is written by whoever sends it. File.Fd is never called:
// it would make the socket a blocking one.
type detached struct {
	fd   uintptr
	over atomic.Bool // nothing is to be read any more
	dead atomic.Bool // the socket has failed: nobody waits for it, and nothing can be shut down
	// Of the goroutine that reads.
	long  bool // reads fill a small buffer
	alone bool // nobody tells of an end that has come with a message

	mu          sync.Mutex
	file        *os.File // for waiting; made when it is first needed
	interrupted bool     // a read deadline ends the waiting
	discarding  bool     // and must not any more
	released    bool     // the descriptor's number may be somebody else's
	acks        acks
}

// run reads what has woken the connection. After a message it stays, because more will come; else it naps again.
func (t *detached) run(c *Conn, mayNap bool) error {
	t.alone = false // to park tells of everything
	for mayNap {
		if err := t.drain(c); err != nil {
			return err
		}
		if c.active.Load() {
			break
		}
		if c.engine.lot.park(c) {
			return errNapping
		}
		mayNap = false
	}
	for {
		t.open() // so that it can be interrupted
		t.alone = !mayNap || !c.engine.lot.guard(c)
		err := t.stay(c)
		if !errors.Is(err, os.ErrDeadlineExceeded) || !t.resume() {
			return err
		}
		if mayNap && c.engine.lot.park(c) {
			return errNapping
		}
	}
}

// stay waits in one RawConn.Read as long as it can, because each call forgets what the poller has seen.
func (t *detached) stay(c *Conn) error {
	raw, err := t.open().SyscallConn()
	if err != nil {
		return err
	}
	var end error
	if _, listening := c.Listening(); !listening { // since when it does is for the heartbeat
		c.wait()
	}
	err = raw.Read(func(uintptr) bool {
		end = t.drain(c)
		return end != nil
	})
	if end == nil {
		end = err
	}
	return end
}

// interrupt ends the waiting of stay.
func (t *detached) interrupt() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file != nil && !t.discarding && !t.released {
		t.interrupted = true
		_ = t.file.SetReadDeadline(time.Unix(1, 0))
	}
}

// resume lets stay wait again, and reports whether it was interrupted.
func (t *detached) resume() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.interrupted {
		return false
	}
	t.interrupted = false
	_ = t.file.SetReadDeadline(time.Time{})
	return true
}

// open returns the file, under which Go's poller knows the socket. It is called by the reader and by the writer, before
// release.
func (t *detached) open() *os.File {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		t.file = os.NewFile(t.fd, "websocket")
	}
	return t.file
}

// drain reads until the socket has nothing more; nil means to wait then. A read that fills only a part of the buffer is
// the last one, but the end of the stream may be behind it: Go's poller tells of both at once and does not tell again.
// So a reader that is alone reads until there is nothing; any other is told of the end by the lot. Urgent data, which
// no WebSocket client sends, ends a read too: what is behind it waits for the next packet. A handler that blocks keeps
// the buffer, so it is a large one only where that was of use before, and not while too much waits, or calls take
// long.
func (t *detached) drain(c *Conn) error {
	b := newIntake(c, t.long)
	defer b.release()
	b.have = copy(b.bytes(), c.rest)
	room, all := 0, 0
	for {
		n, err := t.tryRead(b.space())
		if n == 0 {
			t.long = all >= smallBuffer
			return t.drained(c, b.filled(0), room > 0, err)
		}
		all += n
		c.woken(true)
		room = b.admit(n)
		used, err := c.parse(b.filled(n), room)
		if err != nil {
			return err
		}
		b.consume(used)
		switch {
		case b.full:
			b.goOn()
		case !t.alone:
			t.long = all >= smallBuffer
			return t.drained(c, b.filled(0), false, nil)
		}
	}
}

// drained keeps what was read and not parsed. unparsed: more was expected behind it, and has not come.
func (t *detached) drained(c *Conn, rest []byte, unparsed bool, err error) error {
	if unparsed {
		used, err := c.parse(rest, 0)
		if err != nil {
			return err
		}
		rest = rest[used:]
	}
	c.keep(rest)
	if err == nil {
		c.wait()
	}
	return err
}

// tryRead returns 0 and no error when the socket has nothing.
func (t *detached) tryRead(p []byte) (int, error) {
	for !t.over.Load() {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, t.fd,
			uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_DONTWAIT, 0, 0) //nolint:gosec // p lives as long as the call
		switch {
		case errno == syscall.EINTR:
		case errno == syscall.EAGAIN:
			return 0, nil
		case errno != 0:
			t.dead.Store(true)
			return 0, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("recv", errno)}
		case n == 0:
			return 0, io.EOF
		default:
			return int(n), nil
		}
	}
	return 0, net.ErrClosed
}

// read is for what is thrown away. A peer that goes on sending little wakes nobody with it: what comes is read when it
// fills p, when the socket has no room for more, or when the stream ends.
func (t *detached) read(p []byte) (int, error) {
	if t.over.Load() {
		return 0, net.ErrClosed
	}
	t.mu.Lock()
	if !t.discarding {
		t.discarding = true
		_ = syscall.SetsockoptInt(int(t.fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, len(p))
	}
	t.mu.Unlock()
	t.resume()
	return t.open().Read(p)
}

// ready says no: feed has given the socket what it takes at once.
func (t *detached) ready() bool { return false }

func (t *detached) takes() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	ready, _ := isReadyFD(t.fd)
	return ready && !t.released
}

func (t *detached) reads() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.released && t.acks.growing(sentFD(t.fd))
}

func (t *detached) delivered() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.released || !sentFD(t.fd).left
}

func (t *detached) tryWrite(p []byte) int {
	n, _ := t.send(p)
	return n
}

// send returns 0 and no error when the socket takes nothing.
func (t *detached) send(p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, t.fd,
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0) //nolint:gosec // p lives as long as the call
	switch errno {
	case 0:
		return int(n), nil
	case syscall.EAGAIN, syscall.EINTR:
		return 0, nil
	default:
		return 0, &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("send", errno)}
	}
}

func (t *detached) finishWriting() bool { return t.shutdown(syscall.SHUT_WR) }

// close shuts the socket down, which wakes whoever waits for it. The descriptor stays until release.
func (t *detached) close() {
	t.over.Store(true)
	if !t.dead.Load() {
		t.shutdown(syscall.SHUT_RDWR)
	}
}

func (t *detached) shutdown(how int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.released && syscall.Shutdown(int(t.fd), how) == nil
}

func (t *detached) release(c *Conn) {
	c.engine.lot.leave(c)
	t.mu.Lock()
	t.released = true
	file := t.file
	t.mu.Unlock()
	if file == nil {
		_, _, _ = syscall.RawSyscall(syscall.SYS_CLOSE, t.fd, 0, 0)
		return
	}
	_ = file.Close()
}
