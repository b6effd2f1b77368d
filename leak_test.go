package wsx_test

import (
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// goroutines returns how many goroutines there are, but for fasthttp's idle workers, which stay for ten seconds.
func goroutines() int {
	stacks := make([]byte, 1<<20)
	for {
		n := runtime.Stack(stacks, true)
		if n < len(stacks) {
			stacks = stacks[:n]
			break
		}
		stacks = make([]byte, 2*len(stacks))
	}
	n := 0
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		idle := strings.Contains(stack, "fasthttp.(*workerPool).workerFunc") && !strings.Contains(stack, "serveConn")
		if !idle {
			n++
		}
	}
	return n
}

// descriptors returns how many descriptors the process holds; 0 where that cannot be seen.
func descriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// endings are the ways in which a connection ends in this test.
var endings = map[string]func(t *testing.T, addr string){
	"clean": func(t *testing.T, addr string) {
		c := greeted(t, addr)
		_ = c.Frame(true, opClose, []byte{3, 232})
		_, _ = c.Read()
		_ = c.Conn().Close()
	},
	"reset":       func(t *testing.T, addr string) { greeted(t, addr).Reset() },
	"no goodbye":  func(t *testing.T, addr string) { _ = greeted(t, addr).Conn().Close() },
	"in a header": func(t *testing.T, addr string) { half(t, addr, handshake("/ws")[:60], false) },
	"in a header, reset": func(t *testing.T, addr string) {
		half(t, addr, handshake("/ws")[:60], true)
	},
	"before the answer": func(t *testing.T, addr string) { half(t, addr, handshake("/ws"), true) },
	"in a frame": func(t *testing.T, addr string) {
		c := greeted(t, addr)
		_ = c.Raw(wsxtest.AppendFrame(nil, true, opText, []byte("half of it"))[:9])
		_ = c.Conn().Close()
	},
	"in a message": func(t *testing.T, addr string) {
		c := greeted(t, addr)
		_ = c.Frame(false, opText, []byte("the first half"))
		c.Reset()
	},
	"by a panic": func(t *testing.T, addr string) {
		c := greeted(t, addr)
		_ = c.Frame(true, opText, []byte("panic"))
		_, _ = c.Read()
		_ = c.Conn().Close()
	},
	"by Goexit": func(t *testing.T, addr string) {
		c := greeted(t, addr)
		_ = c.Frame(true, opText, []byte("goexit"))
		_, _ = c.Read()
		_ = c.Conn().Close()
	},
}

// greeted returns a client that has got its first message.
func greeted(t *testing.T, addr string) *wsxtest.Client {
	t.Helper()
	c := wsxtest.Dial(t, "ws://"+addr+"/ws")
	if got := c.ReadText(); got != "hello" {
		t.Errorf("got %q", got)
	}
	return c
}

// half sends a part of a request, or all of it, and goes away.
func half(t *testing.T, addr, request string, reset bool) {
	t.Helper()
	nc, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = nc.Write([]byte(request))
	if tcp, ok := nc.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = nc.Close()
}

func TestNothingLeaks(t *testing.T) {
	const each, workers = 200, 4 // of ten endings: 2,000 connections
	addr, h := serveEcho(t, wsx.Config{MaxConnsPerIP: 1000}, hub.Config{
		OnOpen: func(c *hub.Conn) error { return c.SendText("hello") },
		OnMessage: func(_ *hub.Conn, m hub.Message) error {
			if m.Text() == "goexit" {
				runtime.Goexit()
			}
			panic("no")
		},
	})
	for _, end := range endings { // what is started once
		end(t, addr)
	}
	over := func() bool { s := h.Stats(); return s.Opened == s.Closed }
	eventually(t, "all are over", over)
	base, files := goroutines(), descriptors()
	var clients sync.WaitGroup
	for range workers {
		clients.Go(func() {
			for range each / workers {
				for _, end := range endings {
					end(t, addr)
				}
			}
		})
	}
	clients.Wait()
	eventually(t, "all are over", over)
	// The others of this package's connections may end meanwhile, so the figures may lie below.
	eventually(t, "the goroutines are what they were", func() bool { return goroutines() <= base })
	eventually(t, "the descriptors are what they were", func() bool { return descriptors() <= files })
	if s := h.Stats(); s.Opened != s.Closed || s.Conns != 0 || s.Opened < 7*each { // seven of the endings come after the 101
		t.Errorf("%d opened, %d closed, %d there", s.Opened, s.Closed, s.Conns)
	}
}
