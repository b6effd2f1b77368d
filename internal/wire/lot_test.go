//go:build linux

package wire_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// eventually waits until ok returns true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
	}
}

// many starts connections of one engine that echo.
func many(t *testing.T, n int) (clients []*wsxtest.Client, servers []*wire.Conn) {
	e := wire.NewEngine(limits())
	for range n {
		client, server := tcpPair(t)
		h := echo()
		h.over = make(chan struct{})
		c := wire.New(server, e, h)
		h.conn = c
		c.Go()
		t.Cleanup(func() {
			c.Abort()
			<-h.over
		})
		clients, servers = append(clients, client), append(servers, c)
	}
	return clients, servers
}

func talk(t *testing.T, clients []*wsxtest.Client) {
	t.Helper()
	for i, c := range clients {
		c.SendText(strconv.Itoa(i))
		want(t, "echo", c.ReadText(), strconv.Itoa(i))
	}
}

// TestIdleConnectionsHoldNoGoroutine: neither before their first message nor after their last.
func TestIdleConnectionsHoldNoGoroutine(t *testing.T) {
	const n, few = 50, 20
	before := runtime.NumGoroutine()
	clients, servers := many(t, n)
	eventually(t, "fresh connections hold goroutines", func() bool { return runtime.NumGoroutine() < before+few })
	for range 3 {
		talk(t, clients)
		busy := runtime.NumGoroutine()
		idle := func() bool { return runtime.NumGoroutine() < busy-n+few } // busy ones have one each
		for range 2 {                                                      // the first call finds that a message has come
			for _, c := range servers {
				c.Rest()
			}
		}
		eventually(t, "connections that rest hold goroutines", idle)
	}
	talk(t, clients)
}

// TestRestWhileMessagesCome: however often a connection is told to rest, no message is lost or handled twice.
func TestRestWhileMessagesCome(t *testing.T) {
	clients, servers := many(t, 3)
	ctx, stop := context.WithCancel(t.Context())
	var resting sync.WaitGroup
	resting.Go(func() {
		for ctx.Err() == nil {
			for _, c := range servers {
				c.Rest()
			}
		}
	})
	defer resting.Wait()
	defer stop()
	for range 300 {
		talk(t, clients)
	}
}

// TestPingsDoNotKeepAwake: what needs no handler for messages leaves the connection without a goroutine.
func TestPingsDoNotKeepAwake(t *testing.T) {
	before := runtime.NumGoroutine()
	clients, _ := many(t, 50)
	for _, c := range clients {
		must(t, c.Frame(true, wire.OpPing, []byte("p")))
		f, err := c.ReadFrame()
		must(t, err)
		want(t, "answer", f.Op, wire.OpPong)
	}
	eventually(t, "pings left goroutines", func() bool { return runtime.NumGoroutine() < before+20 })
}

// TestDescriptors: a connection has one, from its start to its end, and the lot one as long as there are connections,
// and another one while it takes turns.
func TestDescriptors(t *testing.T) {
	before := descriptors(t)
	clients, servers := many(t, 10)
	talk(t, clients)
	if n := descriptors(t); n > before+2*10+2 { // the clients' too
		t.Errorf("%d descriptors more than before", n-before)
	}
	for i, c := range clients {
		if i%2 == 0 {
			_ = c.Conn().Close()
		} else {
			must(t, servers[i].Close(ws.StatusNormalClosure, ""))
			want(t, "close frame", c.ReadClose().Status, ws.StatusNormalClosure)
			_ = c.Conn().Close()
		}
	}
	eventually(t, "descriptors are left open", func() bool { return descriptors(t) <= before })
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(all)
}
