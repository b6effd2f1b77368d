package wsxtest

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// Faults are what goes wrong with one direction of a connection. The zero value is nothing.
//
// Each field whose name ends in After is a number of bytes of that direction: what comes before goes through, and then
// it happens. There 0 means never, and a negative number at once, before the first byte. Of several the one that comes
// first happens, and of several at the same byte the first of this list.
type Faults struct {
	// Reading has the faults in what is read from the connection. Otherwise they are in what is written to it.
	Reading bool

	// SplitAt are numbers of bytes after which a piece ends, in any order. A pipe gives its reader one piece at a time,
	// and so do sockets when a Delay keeps the pieces apart.
	SplitAt []int64
	// ChunkSize is how many bytes a piece has at most. 0: as many as the caller passes.
	ChunkSize int
	// Delay is the time before each piece.
	Delay time.Duration
	// Throttle is how many bytes pass in a second, in pieces of a tenth of a second. 0: as many as can.
	Throttle int

	// StallAfter lets nothing through any more: the call waits for its deadline, or until the connection is closed. So
	// a peer looks that takes nothing, or says nothing.
	StallAfter int64
	// LoseAfter has everything vanish that comes later, though the connection stays open and calls go on as if nothing
	// were wrong. So a peer looks whose network is gone.
	LoseAfter int64
	// TruncateAfter closes the connection.
	TruncateAfter int64
	// ResetAfter cuts the connection off: with a reset when there is a TCP socket below it, and like TruncateAfter
	// otherwise.
	ResetAfter int64
	// HalfCloseAfter ends what is written to the connection; reading goes on. It needs a connection with a method
	// CloseWrite, which sockets have and pipes have not.
	HalfCloseAfter int64
}

// Faulty returns nc with faults. Faults add up when a faulty connection is given more of them; so it can have some in
// either direction.
//
// It may be either side: that of a client, see also [Options], or the one that a server is given, as by
// [hub.Hub.Serve]. It starts no goroutine, keeps the deadlines that it is told while it waits, and takes its time from
// package time, which is that of the bubble in [testing/synctest]. The methods may be called as those of any net.Conn,
// by several at once.
//
// A write that a fault cuts short succeeds, as one to a socket does whose peer never sees the bytes; the next one fails
// as nc does when it is closed. Faulty panics when HalfCloseAfter is set and nc has no CloseWrite.
func Faulty(nc net.Conn, f Faults) net.Conn {
	c := &faulty{Conn: nc, faults: f, closed: make(chan struct{}), limit: newDeadline()}
	c.faults.SplitAt = slices.Clone(f.SplitAt)
	if _, ok := below[halfCloser](nc); f.HalfCloseAfter != 0 && !ok {
		socket, _ := below[net.Conn](nc)
		panic(fmt.Sprintf("wsxtest: Faults.HalfCloseAfter needs a connection with a method CloseWrite, which %T has not: "+
			"use a socket, or TruncateAfter", socket))
	}
	c.happen()
	return c
}

// faulty is a connection with faults in one of its directions.
type faulty struct {
	net.Conn

	faults Faults
	once   sync.Once
	closed chan struct{}
	limit  *deadline // of the direction that has the faults

	mu     sync.Mutex // of those who read, or of those who write
	passed int64
	next   time.Time // for the next piece, with Throttle
	ended  bool      // what was to be closed is closed
}

func (c *faulty) Write(p []byte) (n int, err error) {
	if c.faults.Reading || len(p) == 0 {
		return c.Conn.Write(p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for ended := c.ended; n < len(p) && err == nil; {
		if c.lost() || c.ended != ended {
			return len(p), nil
		}
		var passed int
		passed, err = c.piece(p[n:], c.Conn.Write)
		n += passed
	}
	return n, err
}

func (c *faulty) Read(p []byte) (n int, err error) {
	if !c.faults.Reading || len(p) == 0 {
		return c.Conn.Read(p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.closed: // which what was read ahead does not know
		return 0, net.ErrClosed
	default:
	}
	for c.lost() {
		if _, err := c.Conn.Read(p); err != nil {
			return 0, err
		}
	}
	return c.piece(p, c.Conn.Read)
}

// piece passes the first bytes of p on, as many as may go at once and when they may.
func (c *faulty) piece(p []byte, pass func([]byte) (int, error)) (n int, err error) {
	if c.reached(c.faults.StallAfter) && !c.ended {
		return 0, c.limit.wait(time.Time{}, c.closed)
	}
	if start := c.start(); !start.IsZero() {
		if err := c.limit.wait(start, c.closed); err != nil {
			return 0, err
		}
	}
	n, err = pass(p[:c.most(len(p))])
	c.passed += int64(n)
	if c.faults.Throttle > 0 {
		c.next = time.Now().Add(time.Duration(n) * time.Second / time.Duration(c.faults.Throttle))
	}
	c.happen()
	return n, err
}

// start returns when the next piece may go; zero: now.
func (c *faulty) start() time.Time {
	if c.faults.Delay <= 0 {
		return c.next
	}
	start := time.Now()
	if c.next.After(start) {
		start = c.next
	}
	return start.Add(c.faults.Delay)
}

// most returns how many of n bytes may go at once.
func (c *faulty) most(n int) int {
	if size := c.faults.ChunkSize; size > 0 {
		n = min(n, size)
	}
	if rate := c.faults.Throttle; rate > 0 {
		n = min(n, max(1, rate/10))
	}
	f := &c.faults
	ends := append([]int64{f.StallAfter, f.LoseAfter, f.TruncateAfter, f.ResetAfter, f.HalfCloseAfter}, f.SplitAt...)
	for _, end := range ends {
		if left := end - c.passed; left > 0 {
			n = int(min(int64(n), left))
		}
	}
	return n
}

// reached reports whether it is time for what happens after so many bytes.
func (c *faulty) reached(after int64) bool { return after < 0 || after > 0 && c.passed >= after }

// lost reports whether everything vanishes.
func (c *faulty) lost() bool {
	return c.reached(c.faults.LoseAfter) && !c.reached(c.faults.StallAfter) && !c.ended
}

// happen closes what is to be closed by now.
func (c *faulty) happen() {
	f := &c.faults
	if c.ended || c.reached(f.StallAfter) || c.reached(f.LoseAfter) {
		return
	}
	c.ended = true
	switch {
	case c.reached(f.TruncateAfter):
		_ = c.Close()
	case c.reached(f.ResetAfter):
		reset(c)
	case c.reached(f.HalfCloseAfter):
		_ = c.CloseWrite()
	default:
		c.ended = false
	}
}

// Close ends the waits as well.
func (c *faulty) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// CloseWrite ends what is written, if the connection can do that.
func (c *faulty) CloseWrite() error {
	if h, ok := below[halfCloser](c.Conn); ok {
		return h.CloseWrite()
	}
	return fmt.Errorf("wsxtest: %T has no CloseWrite", c.Conn)
}

// NetConn returns the connection without the faults.
func (c *faulty) NetConn() net.Conn { return c.Conn }

func (c *faulty) SetDeadline(t time.Time) error {
	c.limit.set(t)
	return c.Conn.SetDeadline(t)
}

func (c *faulty) SetReadDeadline(t time.Time) error {
	if c.faults.Reading {
		c.limit.set(t)
	}
	return c.Conn.SetReadDeadline(t)
}

func (c *faulty) SetWriteDeadline(t time.Time) error {
	if !c.faults.Reading {
		c.limit.set(t)
	}
	return c.Conn.SetWriteDeadline(t)
}

// spoil puts faults around the client's connection. What was read of it before comes first.
func (c *Client) spoil(faults []Faults) {
	if len(faults) == 0 {
		return
	}
	c.conn = &begun{Conn: c.conn, read: c.r}
	for _, f := range faults {
		c.conn = Faulty(c.conn, f)
	}
	c.r = bufio.NewReader(c.conn)
}

// begun is a connection of which something has been read already.
type begun struct {
	net.Conn

	read *bufio.Reader // of Conn
}

func (c *begun) Read(p []byte) (int, error) {
	if c.read.Buffered() > 0 {
		return c.read.Read(p)
	}
	return c.Conn.Read(p)
}

// NetConn returns the connection, without what was read before.
func (c *begun) NetConn() net.Conn { return c.Conn }
