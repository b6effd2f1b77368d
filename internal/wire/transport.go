package wire

import (
	"net"
	"time"
)

// transport is the socket under a Conn: the seam for more than one way of driving it.
type transport interface {
	// read waits for input. It is called by one goroutine.
	read(p []byte) (int, error)
	// write waits until the socket has taken all of p, at most until the deadline. It is called by one goroutine.
	write(p []byte, deadline time.Time) (int, error)
	// finishWriting tells the peer that nothing more comes, while its bytes can still be read. False: it cannot.
	finishWriting() bool
	// close ends every read and write, now and later. It may be called at any time, and more than once.
	close()
}

// inplace drives a plain net.Conn with blocking calls: what TLS, wrapped listeners and memory have in common.
type inplace struct{ conn net.Conn }

func (t inplace) read(p []byte) (int, error) { return t.conn.Read(p) }

func (t inplace) write(p []byte, deadline time.Time) (int, error) {
	if err := t.conn.SetWriteDeadline(deadline); err != nil {
		return 0, err
	}
	return t.conn.Write(p)
}

func (t inplace) finishWriting() bool {
	half, ok := t.conn.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}

func (t inplace) close() { _ = t.conn.Close() }
