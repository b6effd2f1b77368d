//go:build unix && !linux

package turn

import (
	"os"
	"syscall"
	"time"
)

// way is a pipe, known to Go's poller.
type way struct {
	r, w *os.File
	raw  syscall.RawConn
}

// newWay returns nil where there is no descriptor left.
func newWay() *way {
	r, w, err := os.Pipe()
	if err != nil {
		return nil
	}
	raw, err := r.SyscallConn()
	if err != nil {
		_, _ = r.Close(), w.Close()
		return nil
	}
	return &way{r, w, raw}
}

// wait parks this goroutine behind an event of its own, and so behind those that are there already, and returns how
// long that took. Who comes meanwhile waits for the lock under which Go reads; that does not count.
func (w *way) wait() time.Duration {
	if w == nil {
		return 0
	}
	var asked time.Time
	_ = w.raw.Read(func(fd uintptr) bool {
		b := [1]byte{}
		if !asked.IsZero() {
			_, _ = syscall.Read(int(fd), b[:])
			return true
		}
		asked = time.Now()
		_, err := w.w.Write(b[:])
		return err != nil
	})
	if asked.IsZero() { // it is closed
		return 0
	}
	return time.Since(asked)
}

func (w *way) close() {
	if w != nil {
		_, _ = w.r.Close(), w.w.Close()
	}
}
