// Command gobwas serves the benchmark with gobwas/ws at its low level: the upgrade on the bare socket, memory that is
// used again, text checked as UTF-8, and answers that collect until a read would wait. It joins no fragments.
package main

import (
	"flag"
	"net"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

var (
	members peer.Members[*conn]
	batch   peer.Batch
)

func main() {
	flag.Parse()
	peer.Accept(func(nc net.Conn) {
		defer nc.Close()
		c := &conn{Conn: nc}
		if c.upgrade() != nil {
			return
		}
		stop := peer.Heartbeat(c.ping)
		c.run()
		nc.Close() // so that no ping is stuck
		stop()
	})
}

func (c *conn) run() {
	if c.path == "/broadcast" {
		defer members.Join(c)()
	}
	_ = c.read()
	_ = c.flush() // the answer to a close frame
}
