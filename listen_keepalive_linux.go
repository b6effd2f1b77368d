package wsx

import (
	"net"
	"syscall"
	"time"
)

// The keep-alive probes are those of package net.
const (
	keepAliveIdle   = 15 * time.Second
	keepAliveProbes = 9
)

// listening sets the keep-alive on the listener: on Linux every socket that it accepts has it then, without four system
// calls each.
var listening = net.ListenConfig{KeepAlive: -1, Control: keepAlive}

func keepAlive(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		const seconds = int(keepAliveIdle / time.Second)
		// A socket without it works as well, only that a dead peer is found by the heartbeat alone.
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1)
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, seconds)
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, seconds)
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, keepAliveProbes)
	})
}
