package wire_test

import (
	"net"
	"syscall"
	"testing"

	"github.com/fiberwsx/wsx/internal/wire"
)

// TestEndInOneSegment has the end of the stream come with a message in one segment, to a reader that waits: Go's poller
// tells once, and the message is all that the next read returns.
func TestEndInOneSegment(t *testing.T) {
	for name, run := range map[string]func(*wire.Conn){
		"Go":  (*wire.Conn).Go,
		"Run": func(c *wire.Conn) { go c.Run() },
	} {
		t.Run(name, func(t *testing.T) {
			client, server := tcpPair(t)
			h := echo()
			h.over = make(chan struct{})
			r := &rig{Conn: wire.New(server, wire.NewEngine(limits()), h), client: client, handler: h, over: h.over}
			h.conn = r.Conn
			run(r.Conn)
			for range 3 { // a busy one
				client.SendText("busy")
				want(t, "echo", client.ReadText(), "busy")
			}
			nc := client.Conn().(*net.TCPConn)
			raw, err := nc.SyscallConn()
			must(t, err)
			must(t, raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK, 1) }))
			must(t, err)
			client.SendText("last")
			must(t, nc.CloseWrite())
			r.ended(t)
			wantAll(t, "handled", h.all(), []string{`text "busy"`, `text "busy"`, `text "busy"`, `text "last"`})
		})
	}
}
