//go:build unix

package wsx

import (
	"os"
	"syscall"
)

// turn lets those go first whose sockets are ready. Go looks at its poller when nothing else can run: on a single
// processor, who has many requests in hand would otherwise hold up everybody who comes meanwhile until the end of them,
// and runtime.Gosched changes nothing about that. It may be used by several at once, which then go one after the other.
// The garbage collector closes it.
type turn struct {
	r, w *os.File
	raw  syscall.RawConn
}

// newTurn returns nil where there is no descriptor left; nil lets nobody go first.
func newTurn() *turn {
	r, w, err := os.Pipe()
	if err != nil {
		return nil
	}
	raw, err := r.SyscallConn()
	if err != nil {
		_, _ = r.Close(), w.Close()
		return nil
	}
	return &turn{r, w, raw}
}

// wait parks this goroutine behind an event of its own, and so behind those that are there already: they run before it
// has returned a second time. It takes some microseconds.
func (t *turn) wait() {
	if t == nil {
		return
	}
	asked := false
	_ = t.raw.Read(func(fd uintptr) bool {
		b := [1]byte{}
		if asked {
			_, _ = syscall.Read(int(fd), b[:])
			return true
		}
		asked = true
		_, err := t.w.Write(b[:])
		return err != nil
	})
}
