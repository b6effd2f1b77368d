//go:build linux

package wire_test

import (
	"net"
	"testing"

	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestAReleasedDescriptorIsLeftAlone uses connections that are over, whose descriptors have become other sockets' by
// then.
func TestAReleasedDescriptorIsLeftAlone(t *testing.T) {
	const n = 8
	var over []*rig
	for range n {
		over = append(over, dialed(t, limits(), echo()))
	}
	for _, r := range over {
		must(t, r.client.Conn().Close())
		r.ended(t)
	}
	var clients []*wsxtest.Client
	var servers []net.Conn
	for range 2 * n { // more than were released
		client, server := tcpPair(t)
		clients, servers = append(clients, client), append(servers, server)
	}
	for _, r := range over {
		_ = r.Send(ws.Text, []byte("late"))
		_ = r.Ping(nil)
		_ = r.Close(ws.StatusNormalClosure, "late")
		r.Kick()
		r.Rest()
		r.Abort()
	}
	b := make([]byte, 10)
	for i, client := range clients {
		for _, way := range [][2]net.Conn{{client.Conn(), servers[i]}, {servers[i], client.Conn()}} {
			if _, err := way[0].Write([]byte("x")); err != nil {
				t.Fatalf("socket %d: %v", i, err)
			}
			if got, err := way[1].Read(b); err != nil || string(b[:got]) != "x" {
				t.Fatalf("socket %d: got %q, %v", i, b[:got], err)
			}
		}
	}
}
