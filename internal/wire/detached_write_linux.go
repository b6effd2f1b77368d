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

func (t *detached) write(p []byte, deadline time.Time) (int, error) {
	for look := firstLook; ; look *= 2 {
		until := time.Now().Add(spread(look))
		last := !deadline.IsZero() && !until.Before(deadline)
		if last {
			until = deadline
		}
		n, err := t.await(p, until)
		if n == 0 && isTimeout(err) {
			if n, failed := t.send(p); n > 0 || failed != nil {
				return n, failed
			}
			if !last {
				continue
			}
		}
		return n, err
	}
}

// spread returns d or down to half of it, at random: after a broadcast many wait since the same moment, and would keep
// others waiting by looking all at once.
func spread(d time.Duration) time.Duration { return d - rand.N(d/2) }

// await writes as soon as the poller says that the socket takes something.
func (t *detached) await(p []byte, deadline time.Time) (n int, err error) {
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
		n, failed = t.send(p)
		return n > 0 || failed != nil
	})
	return n, errors.Join(failed, err)
}
