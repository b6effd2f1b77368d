package wire

import (
	"net"
	"sync"
	"time"
)

// transport is the socket under a Conn: the seam for more than one way of driving it.
type transport interface {
	// run reads what comes and gives it to c, until c has had enough or the socket ends; the error says which. With
	// errNapping, where mayNap allows that, it goes on in another goroutine.
	run(c *Conn, mayNap bool) error
	// read is for what is thrown away: it waits for the end, or for input, which may have to fill p. It is called by
	// one goroutine, when run has returned, always for as much.
	read(p []byte) (int, error)
	// tryWrite writes what the socket takes at once, which may be nothing, and leaves errors to write. It is called for
	// detached sockets only, not beside write, and not after release.
	tryWrite(p []byte) int
	// ready reports whether the socket takes a small chunk at once; true where that is not known.
	ready() bool
	// takes reports whether the socket takes something at once; false where that is not known. It may be called at any
	// time.
	takes() bool
	// reads reports whether the peer has acknowledged something lately; false where that is not known. It may be called
	// at any time.
	reads() bool
	// delivered reports whether the peer has acknowledged all that was written; true where that is not known. It may be
	// called at any time.
	delivered() bool
	// write waits until the socket has taken p, or a part of it, at most until the deadline. It is called by one
	// goroutine, c's writer, which takes turns where many look whether their sockets take something.
	write(c *Conn, p []byte, deadline time.Time) (int, error)
	// finishWriting tells the peer that nothing more comes, while its bytes can still be read. False: it cannot.
	finishWriting() bool
	// close ends every read and write, now and later. It may be called at any time, and more than once.
	close()
	// release gives the socket back. No call but close, takes, reads and delivered may be under way, or follow.
	release(c *Conn)
}

// attach returns a transport for nc, and what was read from it already. A plain TCP socket on Linux is detached from
// nc, which is closed then; everything else is driven in place.
func attach(nc net.Conn) (t transport, early []byte, detached bool) {
	if t, early, ok := detach(nc); ok {
		return t, early, true
	}
	return &inplace{conn: nc}, nil, false
}

// inplace drives a plain net.Conn with blocking calls: what TLS, wrapped listeners and memory have in common.
type inplace struct {
	conn net.Conn

	mu       sync.Mutex
	released bool // the socket may be somebody else's
	acks     acks
}

func (t *inplace) run(c *Conn, _ bool) error {
	b := newIntake(c, false)
	defer b.release()
	for {
		c.wait()
		n, err := t.conn.Read(b.space())
		c.woken(n > 0)
		if n > 0 {
			b.admit(n)
			used, err := c.parse(b.filled(n), 0)
			if err != nil {
				return err
			}
			b.consume(used)
			switch {
			case b.full:
				b.goOn()
			case n >= smallBuffer:
				b.tire()
				b.ration()
			default:
				b.rest()
				if used < smallBuffer/2 && b.have < smallBuffer/2 {
					b.shrink()
				}
			}
		}
		if err != nil {
			return err
		}
	}
}

func (t *inplace) read(p []byte) (int, error) { return t.conn.Read(p) }

func (t *inplace) tryWrite([]byte) int { return 0 }

func (t *inplace) ready() bool {
	ready, known := isReady(t.socket())
	return ready || !known
}

func (t *inplace) takes() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.released {
		return false
	}
	ready, _ := isReady(t.socket())
	return ready
}

func (t *inplace) reads() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.released && t.acks.growing(sent(t.socket()))
}

func (t *inplace) delivered() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.released || !sent(t.socket()).left
}

// socket returns what may be a socket below what was read ahead or encrypted.
func (t *inplace) socket() net.Conn {
	nc := t.lent()
	if s, ok := nc.(interface{ NetConn() net.Conn }); ok { // TLS has it
		nc = s.NetConn()
	}
	return nc
}

// lent returns what lies below what was read ahead.
func (t *inplace) lent() net.Conn {
	if u, ok := t.conn.(interface{ UnsafeConn() net.Conn }); ok {
		return u.UnsafeConn()
	}
	return t.conn
}

func (t *inplace) write(_ *Conn, p []byte, deadline time.Time) (int, error) {
	if err := t.conn.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	return t.conn.Write(p)
}

func (t *inplace) finishWriting() bool {
	half, ok := t.conn.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}

// close does not let TLS say goodbye first, which would take 5 s where the peer takes nothing any more: a socket below
// it that can end its sending half has done so by then. It is closed once, by TLS. Not under mu: a wrapper's CloseWrite
// may take its time.
func (t *inplace) close() {
	if half, ok := t.encrypted().(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = t.conn.Close()
}

// encrypted returns what lies below TLS; nil without, and when the socket may be somebody else's.
func (t *inplace) encrypted() net.Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.lent().(interface { // TLS has both
		NetConn() net.Conn
		Handshake() error
	})
	if !ok || t.released {
		return nil
	}
	return s.NetConn()
}

func (t *inplace) release(*Conn) {
	t.mu.Lock()
	t.released = true
	t.mu.Unlock()
}
