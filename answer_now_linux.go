//go:build amd64 || arm64 || arm || riscv64 || loong64 || ppc64le

package wsx

import (
	"net"
	"syscall"
	"unsafe"
)

// writeNow writes what the socket takes at once, which of a fresh one is all, and leaves errors to the next write. Go's
// scheduler does not hear of the call, which cannot sleep: waking the client takes the kernel long enough for the
// processor to be given away.
func writeNow(socket net.Conn, p []byte) (n int) {
	tcp, ok := socket.(*net.TCPConn)
	if !ok {
		return 0
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Write(func(fd uintptr) bool {
		r, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd,
			uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0) //nolint:gosec // p lives as long as the call
		if errno == 0 {
			n = int(r)
		}
		return true
	})
	return n
}
