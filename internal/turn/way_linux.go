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

// newWay returns nil when the process has no descriptor left.
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

// ready makes fd ready to be read.
func (*way) ready(fd uintptr) error {
	one := uint64(1)
	_, err := syscall.Write(int(fd), (*[8]byte)(unsafe.Pointer(&one))[:]) //nolint:gosec // in the machine's byte order
	return err
}

// used makes fd no longer ready to be read.
func (*way) used(fd uintptr) {
	var count [8]byte
	_, _ = syscall.Read(int(fd), count[:])
}

func (w *way) close() {
	if w != nil {
		_ = w.file.Close()
	}
}

// processTime returns for how long the process has computed, on all processors.
func processTime() time.Duration {
	const clockProcess = 2 // getrusage(2) is behind by up to a tick
	var t syscall.Timespec
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockProcess, uintptr(unsafe.Pointer(&t)), 0) //nolint:gosec // t lives as long as the call
	return time.Duration(t.Nano())
}
