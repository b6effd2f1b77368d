//go:build amd64 || arm64 || arm || riscv64 || loong64 || ppc64le

package wire

import (
	"net"
	"syscall"
	"time"
	"unsafe"
)

// pollOut and pollFD are POLLOUT and struct pollfd of poll(2).
const pollOut = 4

type pollFD struct {
	fd              int32
	events, revents int16
}

// tcpInfo is the start of struct tcp_info, from linux/tcp.h, as far as it is needed.
type tcpInfo struct {
	_       [24]byte
	unacked uint32 // segments
	_       [28]byte
	lastAck uint32 // milliseconds since it came
	_       [60]byte
	acked   uint64 // bytes; since Linux 4.1
	_       [16]byte
	notSent uint32 // bytes; since Linux 4.6
	_       uint32
}

// isReady reports whether nc takes a small chunk at once: to Linux a socket is ready when a third of its buffer is
// free, which is more than that. known is false when nc is no socket, or cannot be asked.
func isReady(nc net.Conn) (ready, known bool) {
	control(nc, func(fd uintptr) { ready, known = isReadyFD(fd) })
	return ready, known
}

// isReadyFD is isReady for a descriptor.
func isReadyFD(fd uintptr) (ready, known bool) {
	p, now := pollFD{fd: int32(fd), events: pollOut}, syscall.Timespec{}
	n, _, errno := syscall.RawSyscall6(syscall.SYS_PPOLL,
		uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0) //nolint:gosec // they live as long as the call
	return n == 1, errno == 0
}

// sent returns how far the peer of nc is with what it was sent; the zero value when nc is no TCP socket.
func sent(nc net.Conn) (s sending) {
	control(nc, func(fd uintptr) { s = sentFD(fd) })
	return s
}

// sentFD is sent for a descriptor.
func sentFD(fd uintptr) sending {
	var info tcpInfo
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := syscall.RawSyscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0) //nolint:gosec // they live as long as the call
	if errno != 0 {
		return sending{}
	}
	return sending{
		acked: info.acked,
		quiet: time.Duration(info.lastAck) * time.Millisecond,
		left:  info.unacked > 0 || info.notSent > 0,
	}
}

// control calls f with the descriptor of nc, if it has one that is open.
func control(nc net.Conn, f func(fd uintptr)) {
	socket, ok := nc.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := socket.SyscallConn(); err == nil {
		_ = raw.Control(f)
	}
}
