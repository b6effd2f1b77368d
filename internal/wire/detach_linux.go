//go:build amd64 || arm64 || arm || riscv64 || loong64 || ppc64le

package wire

import (
	"net"
	"syscall"
	"time"
)

// detach duplicates the descriptor of nc, when that is a TCP socket or gives one up as fasthttp's hijacked connections
// do. It closes nc, and returns what nc had read ahead.
func detach(nc net.Conn) (transport, []byte, bool) {
	socket := nc
	if u, ok := nc.(interface{ UnsafeConn() net.Conn }); ok {
		socket = u.UnsafeConn()
	}
	tcp, ok := socket.(*net.TCPConn)
	if !ok {
		return nil, nil, false
	}
	fd, err := duplicate(tcp)
	if err != nil {
		return nil, nil, false
	}
	var early []byte
	if socket != nc {
		early = readAhead(nc)
	}
	_ = nc.Close()
	return &detached{fd: fd}, early, true
}

func duplicate(tcp *net.TCPConn) (fd uintptr, err error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, err
	}
	var errno syscall.Errno
	err = raw.Control(func(old uintptr) {
		fd, _, errno = syscall.RawSyscall(syscall.SYS_FCNTL, old, syscall.F_DUPFD_CLOEXEC, 3)
	})
	if err == nil && errno != 0 {
		err = errno
	}
	return fd, err
}

// readAhead returns what nc has buffered: no event will tell of it any more. It takes nothing from the socket itself.
func readAhead(nc net.Conn) []byte {
	if nc.SetReadDeadline(time.Unix(1, 0)) != nil {
		return nil
	}
	var all []byte
	p := smallPool.Get().(*[smallBuffer]byte)
	defer smallPool.Put(p)
	for {
		n, err := nc.Read(p[:])
		all = append(all, p[:n]...)
		if err != nil {
			return all
		}
	}
}
