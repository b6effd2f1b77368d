package wire_test

import (
	"io"
	"net"
	"runtime"
	"testing"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// BenchmarkSendMarked128 sends messages that could be dropped, though none is, to a peer that reads all the time,
// through a socket that is often full.
func BenchmarkSendMarked128(b *testing.B) {
	for name, wrap := range map[string]wrapping{
		"detached": bare,
		"in place": func(_ testing.TB, client, server net.Conn) (_, _ net.Conn) { return client, wrapped{server} },
		"TLS":      secured,
	} {
		b.Run(name, func(b *testing.B) {
			end, server := tcpPair(b)
			must(b, server.(*net.TCPConn).SetWriteBuffer(16<<10))
			client, server := wrap(b, end.Conn(), server)
			r := start(b, end, server, wire.Config{OutboxMessages: -1}, &recorder{})
			go func() { _, _ = io.Copy(io.Discard, client) }()
			p, mark := make([]byte, 128), wire.Mark{Policy: wire.PolicyDropOldest}
			b.SetBytes(128)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				must(b, r.SendMarked(ws.Binary, p, mark))
				for i%256 == 0 {
					if n, _ := r.Buffered(); n < 256 {
						break
					}
					runtime.Gosched()
				}
			}
			r.Abort()
		})
	}
}
