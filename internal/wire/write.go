package wire

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/fiberwsx/wsx/ws"
)

const (
	// maxWrite is the longest single write, so that a slow socket shows its progress.
	maxWrite = 64 << 10
	// maxBlocking is that of a socket whose writes return when all is taken: a TLS record.
	maxBlocking = 16 << 10
)

// write empties the outbox into the socket. It runs only while the socket is waited for.
func (c *Conn) write() {
	defer c.writers.Done()
	for {
		for c.detached && c.out.feed() {
			c.yield()
		}
		p, dropped, drained := c.out.next()
		c.countDropped(dropped)
		if p == nil {
			if drained {
				c.drained()
			}
			return
		}
		if err := c.writeSome(p); err != nil {
			c.countDropped(c.out.giveUp())
			c.writeFailed(err)
		}
	}
}

// writeSome writes p or a part of it, as long as there is progress.
func (c *Conn) writeSome(p []byte) error {
	most := maxBlocking
	if c.detached {
		if n := c.trySend(p); n > 0 {
			c.out.wrote(n)
			c.yield() // the next piece may take as long
			return nil
		}
		most = c.engine.piece()
	}
	var deadline time.Time
	if c.engine.WriteDeadline > 0 {
		deadline = time.Now().Add(c.engine.WriteDeadline)
	}
	n, err := c.socket.write(c, p[:min(len(p), most)], deadline)
	c.out.wrote(n)
	if n > 0 && isTimeout(err) {
		return nil
	}
	return err
}

// writeFailed ends the connection. After a passed deadline there is nothing to wait for; after any other error the
// reader finds the end by itself, behind what the peer had sent before.
func (c *Conn) writeFailed(err error) {
	if isTimeout(err) {
		c.fail(ws.CloseError{Status: ws.StatusSlowConsumer, Reason: "write deadline passed"}, nil, c.engine.CloseTimeout)
		c.socket.close()
		return
	}
	c.fail(ws.CloseError{Status: ws.StatusAbnormalClosure}, err, c.engine.CloseTimeout)
}

func (c *Conn) countDropped(n int) {
	if n > 0 && c.engine.Dropped != nil {
		c.engine.Dropped.Add(uint64(n))
	}
}

// isTimeout reports whether err is a deadline's. Not every net.Conn returns os.ErrDeadlineExceeded itself.
func isTimeout(err error) bool {
	switch { // the usual ones first: ne goes to the heap
	case err == nil:
		return false
	case errors.Is(err, os.ErrDeadlineExceeded):
		return true
	}
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
