//go:build !linux || !(amd64 || arm64 || arm || riscv64 || loong64 || ppc64le)

package wire

import "net"

// detached is for Linux only.
type detached struct{ inplace }

func detach(net.Conn) (transport, []byte, bool) { return nil, nil, false }

func isReady(net.Conn) (ready, known bool) { return false, false }

func sent(net.Conn) sending { return sending{} }

func (*detached) interrupt() {}

// lot is for detached connections only.
type lot struct{}

func (*lot) park(*Conn) bool { return false }

func (*lot) has(*Conn) bool { return false }
