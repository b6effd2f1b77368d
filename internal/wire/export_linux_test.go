//go:build amd64 || arm64 || arm || riscv64 || loong64 || ppc64le

package wire

import "net"

// Discarded detaches nc, a TCP socket. It returns what throws away what comes, what closes it, and the descriptor.
func Discarded(nc net.Conn) (read func(p []byte) (int, error), end func(), fd int) {
	socket, _, _ := detach(nc)
	d := socket.(*detached)
	return d.read, func() { _ = d.open().Close() }, int(d.fd)
}
