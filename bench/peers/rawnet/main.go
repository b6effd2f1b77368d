// Command rawnet is the limit of plain net.Conn: a goroutine a connection, one write for the answers to one read, and
// no more WebSocket than moves the bytes. It checks nothing but lengths, and joins no fragments.
package main

import (
	"flag"
	"io"
	"net"
	"slices"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

// bufferSize is how much is read at once, in bytes.
const bufferSize = 32 << 10

// conn is a connection and what its goroutine has in hand.
type conn struct {
	net.Conn
	path       string
	out, round []byte // for the client, and for everybody
	handled    int    // frames of /ingest
}

var members peer.Members[*conn]

func main() {
	flag.Parse()
	peer.Accept(func(nc net.Conn) {
		defer nc.Close()
		path, err := peer.Upgrade(nc)
		if err != nil {
			return
		}
		c := &conn{Conn: nc, path: path}
		if path == "/broadcast" {
			defer members.Join(c)()
		}
		_ = c.serve()
	})
}

func (c *conn) serve() error {
	in, have := make([]byte, bufferSize), 0
	for {
		if have == len(in) {
			in = slices.Grow(in, have)[:2*have]
		}
		n, err := c.Read(in[have:])
		if err != nil {
			return err
		}
		have += n
		used, err := c.handle(in[:have])
		have = copy(in, in[used:have])
		if len(c.round) > 0 {
			members.Each(func(m *conn) { _, _ = m.Write(c.round) })
			c.round = c.round[:0]
		}
		if len(c.out) > 0 {
			if _, err := c.Write(c.out); err != nil {
				return err
			}
			c.out = c.out[:0]
		}
		if err != nil {
			return err
		}
	}
}

// handle handles the whole frames of b.
func (c *conn) handle(b []byte) (used int, err error) {
	for {
		f, err := peer.Next(b[used:])
		if err != nil || f.Size == 0 {
			return used, err
		}
		used += f.Size
		switch {
		case f.Op == peer.OpClose:
			c.out = peer.AppendUnmasked(c.out, peer.OpClose, f)
			return used, io.EOF
		case f.Op == peer.OpPing:
			c.out = peer.AppendUnmasked(c.out, peer.OpPong, f)
		case f.Op == peer.OpPong:
		case c.path == "/ingest":
			c.handled++
		case c.path == "/broadcast":
			c.round = peer.AppendUnmasked(c.round, f.Op, f)
		default:
			c.out = peer.AppendUnmasked(c.out, f.Op, f)
		}
	}
}
