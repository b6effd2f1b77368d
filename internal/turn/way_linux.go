package turn

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// way is an eventfd(2), known to Go's poller.
type way struct {
	file *os.File
	raw  syscall.RawConn
}

// newWay returns nil where there is no descriptor left.
func newWay() *way {
	fd, _, errno := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if errno != 0 {
		return nil
	}
	file := os.NewFile(fd, "turn")
	raw, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		return nil
	}
	return &way{file, raw}
}

// wait parks this goroutine behind an event of its own, and so behind those that are there already, and returns how
// long that took. Who comes meanwhile waits for the lock under which Go reads; that does not count.
func (w *way) wait() time.Duration {
	if w == nil {
		return 0
	}
	var asked time.Time
	_ = w.raw.Read(func(fd uintptr) bool {
		one := uint64(1)
		p := (*[8]byte)(unsafe.Pointer(&one))[:] //nolint:gosec // what an eventfd takes is in the order of the machine
		if !asked.IsZero() {
			_, _ = syscall.Read(int(fd), p)
			return true
		}
		asked = time.Now()
		_, err := syscall.Write(int(fd), p)
		return err != nil
	})
	if asked.IsZero() { // it is closed
		return 0
	}
	return time.Since(asked)
}

func (w *way) close() {
	if w != nil {
		_ = w.file.Close()
	}
}
