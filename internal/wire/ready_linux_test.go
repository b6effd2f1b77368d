//go:build amd64 || arm64 || arm || riscv64 || loong64 || ppc64le

package wire_test

import (
	"crypto/tls"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestASocketSaysWhetherItTakesSomething, where it can be asked.
func TestASocketSaysWhetherItTakesSomething(t *testing.T) {
	for name, wrap := range map[string]wrapping{"plain": bare, "TLS": secured} {
		t.Run(name, func(t *testing.T) {
			below, server := tcpPair(t)
			must(t, server.(*net.TCPConn).SetWriteBuffer(64<<10))
			client, server := wrap(t, below.Conn(), server)
			cfg := limits()
			cfg.OutboxBytes = 0
			r := start(t, wsxtest.NewClient(t, client), server, cfg, &recorder{})
			if secure, ok := client.(*tls.Conn); ok {
				must(t, secure.HandshakeContext(t.Context()))
			}
			want(t, "in the beginning", wire.Takes(r.Conn), true)
			must(t, r.Send(ws.Binary, make([]byte, 32<<20)))
			eventually(t, "it goes on taking what nobody reads", func() bool { return !wire.Takes(r.Conn) })
			go func() { _, _ = io.Copy(io.Discard, client) }()
			must(t, r.Flush(t.Context()))
			eventually(t, "it takes nothing", func() bool { return wire.Takes(r.Conn) })
			r.Abort()
			r.ended(t)
			want(t, "in the end", wire.Takes(r.Conn), false)
		})
	}
	client, server := tcpPair(t)
	hidden := start(t, client, wrapped{server}, limits(), &recorder{})
	want(t, "of what is no socket", wire.Takes(hidden.Conn), false)
}

// TestInputIsNoRoom: a peer that sends and does not read is not taken for one that reads.
func TestInputIsNoRoom(t *testing.T) {
	client, c, took := unread(t)
	must(t, client.Raw(text("x")))
	eventually(t, "it goes on taking what nobody reads", func() bool { return !took(64<<10) && !wire.Takes(c) })
}

// unread returns a connection on TCP that does not run, and what gives its socket so many bytes: false means that it
// took none.
func unread(t *testing.T) (client *wsxtest.Client, c *wire.Conn, took func(n int) bool) {
	t.Helper()
	client, server := tcpPair(t)
	must(t, server.(*net.TCPConn).SetWriteBuffer(1<<20))
	same, err := server.(*net.TCPConn).File()
	must(t, err)
	c = wire.New(server, wire.NewEngine(limits()), &recorder{over: make(chan struct{})})
	t.Cleanup(func() {
		_ = same.Close()
		c.Abort()
		c.Run()
	})
	return client, c, func(n int) bool {
		n, err := syscall.SendmsgN(int(same.Fd()), make([]byte, n), nil, nil, syscall.MSG_DONTWAIT)
		return err == nil && n > 0
	}
}
