//go:build amd64 || arm64 || arm || riscv64 || loong64 || ppc64le

package wire

import (
	"net"
	"syscall"
	"unsafe"
)

// pollOut and pollFD are POLLOUT and struct pollfd of poll(2).
const pollOut = 4

type pollFD struct {
	fd              int32
	events, revents int16
}

// isReady reports whether nc takes a small chunk at once: to Linux a socket is ready when a third of its buffer is
// free, which is more than that. known is false when nc is no socket, or cannot be asked.
func isReady(nc net.Conn) (ready, known bool) {
	socket, ok := nc.(syscall.Conn)
	if !ok {
		return false, false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false, false
	}
	_ = raw.Control(func(fd uintptr) { ready, known = isReadyFD(fd) })
	return ready, known
}

// isReadyFD is isReady for a descriptor.
func isReadyFD(fd uintptr) (ready, known bool) {
	p, now := pollFD{fd: int32(fd), events: pollOut}, syscall.Timespec{}
	n, _, errno := syscall.RawSyscall6(syscall.SYS_PPOLL,
		uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0) //nolint:gosec // they live as long as the call
	return n == 1, errno == 0
}
