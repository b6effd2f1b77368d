package wire

import (
	"errors"
	"net"
	"time"

	"github.com/fiberwsx/wsx/ws"
)

// maxWrite is the longest single write, so that a slow socket shows its progress.
const maxWrite = 64 << 10

// startWriter starts a writer without an allocation: most messages find none at work.
func (c *Conn) startWriter() {
	c.writers.Add(1)
	go c.writer()
}

// write empties the outbox into the socket. It runs only while there is something to write.
func (c *Conn) write() {
	defer c.writers.Done()
	for {
		k, ok := c.out.next()
		if !ok {
			return
		}
		err := c.writeAll(k.data)
		messages := k.messages
		c.out.done(&k)
		if err != nil {
			c.countDropped(messages)
			c.writeFailed(err)
		}
	}
}

func (c *Conn) writeAll(p []byte) error {
	for len(p) > 0 {
		var deadline time.Time
		if c.cfg.WriteDeadline > 0 {
			deadline = time.Now().Add(c.cfg.WriteDeadline)
		}
		n, err := c.socket.write(p[:min(len(p), maxWrite)], deadline)
		p = p[n:]
		if n > 0 {
			c.out.progressed()
		}
		if err != nil && (n == 0 || !isTimeout(err)) {
			return err
		}
	}
	return nil
}

// writeFailed ends the connection. After a passed deadline there is nothing to wait for; after any other error the
// reader finds the end by itself, behind what the peer had sent before.
func (c *Conn) writeFailed(err error) {
	if isTimeout(err) {
		c.fail(ws.CloseError{Status: ws.StatusSlowConsumer, Reason: "write deadline passed"}, nil)
		c.socket.close()
		return
	}
	c.fail(ws.CloseError{Status: ws.StatusAbnormalClosure}, err)
}

func (c *Conn) countDropped(n int) {
	if n > 0 && c.cfg.Dropped != nil {
		c.cfg.Dropped.Add(uint64(n))
	}
}

// isTimeout reports whether err is a deadline's. Not every net.Conn returns os.ErrDeadlineExceeded itself.
func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
