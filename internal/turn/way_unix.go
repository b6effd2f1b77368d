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

// newWay returns nil when the process has no descriptor left.
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

// ready makes fd, the end that is read, ready to be read.
func (w *way) ready(uintptr) error {
	_, err := w.w.Write(make([]byte, 1))
	return err
}

// used makes fd no longer ready to be read.
func (*way) used(fd uintptr) {
	_, _ = syscall.Read(int(fd), make([]byte, 1))
}

func (w *way) close() {
	if w != nil {
		_, _ = w.r.Close(), w.w.Close()
	}
}

// processTime returns for how long the process has computed, on all processors.
func processTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
