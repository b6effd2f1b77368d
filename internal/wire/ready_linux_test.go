//go:build amd64 || arm64 || arm || riscv64 || loong64 || ppc64le

package wire_test

import (
	"crypto/tls"
	"io"
	"net"
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
