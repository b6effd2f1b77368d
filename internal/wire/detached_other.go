//go:build !linux || !(amd64 || arm64 || arm || riscv64 || loong64 || ppc64le)

package wire

import "net"

// detach works on Linux only.
func detach(net.Conn) (transport, []byte, bool) { return nil, nil, false }
