//go:build amd64 || arm64 || arm || riscv64 || loong64 || ppc64le

package wire

import (
	"errors"
	"math/rand/v2"
	"time"
)

// firstLook is how soon, at the latest, a writer that waits looks whether the socket takes something: the poller says
// so only when a third of the socket's buffer is free, which with a reader that is slow may take longer than the
// deadline. It looks again after twice that time, and so on.
const firstLook = 20 * time.Millisecond

func (t *detached) write(c *Conn, p []byte, deadline time.Time) (int, error) {
	for soon := firstLook; ; soon *= 2 {
		until := time.Now().Add(spread(soon))
		last := !deadline.IsZero() && !until.Before(deadline)
		if last {
			until = deadline
		}
		n, err := t.await(c, p, until) // begins with a look
		switch {
		case n > 0 || !isTimeout(err):
			return n, err
		case last:
			if n, failed := t.send(p); n > 0 || failed != nil {
				return n, failed
			}
			return 0, err
		}
	}
}

// spread returns d or down to half of it, at random: after a broadcast many wait since the same moment, and would keep
// others waiting by looking all at once.
func spread(d time.Duration) time.Duration { return d - rand.N(d/2) }

// await writes what the socket takes, as soon as it takes something: now, or when the poller says so. The poller says
// so of many at once when what a broadcast left in their sockets is acknowledged, and many begin to wait at once.
func (t *detached) await(c *Conn, p []byte, deadline time.Time) (n int, err error) {
	file := t.open()
	raw, err := file.SyscallConn()
	if err == nil {
		err = file.SetWriteDeadline(deadline)
	}
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Write(func(uintptr) bool {
		c.beforeLook()
		n, failed = t.send(p)
		return n > 0 || failed != nil
	})
	if failed != nil {
		err = errors.Join(failed, err)
	}
	return n, err
}
