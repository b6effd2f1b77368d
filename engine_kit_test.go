package wsx_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// transport is a way to accept connections, and with that a way in which the engine drives them.
type transport struct {
	detached bool // on Linux
	wrap     func(net.Conn) net.Conn

	readTimeout time.Duration // of the requests; long, because a busy machine may be late
}

// enclosed hides what kind of socket it is.
type enclosed struct{ net.Conn }

// transports are all that the engine has. A plain TCP socket gets a descriptor of its own and is free of fasthttp; one
// that hides in another type is used where it is.
var transports = map[string]transport{
	"plain":   {runtime.GOOS == "linux", func(nc net.Conn) net.Conn { return nc }, time.Minute},
	"wrapped": {false, func(nc net.Conn) net.Conn { return enclosed{nc} }, time.Minute},
}

// onEach runs a test on each of the transports.
func onEach(t *testing.T, test func(t *testing.T, on transport)) {
	for name, on := range transports {
		t.Run(name, func(t *testing.T) { test(t, on) })
	}
}

// listener wraps what it accepts.
type listener struct {
	net.Listener
	wrap func(net.Conn) net.Conn
}

func (l listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.wrap(nc), nil
}

// serve serves the hub at /ws on a real socket until the test ends, and checks the hub's figures then. It returns the
// address to dial.
func (on transport) serve(t *testing.T, h *hub.Hub, config ...wsx.Config) string {
	t.Helper()
	cfg := wsx.Config{}
	if len(config) > 0 {
		cfg = config[0]
	}
	cfg.Hub, cfg.Logger = h, quiet
	app := newApp(fiber.Config{DisableStartupMessage: true, ReadTimeout: on.readTimeout})
	app.Use("/ws", wsx.New(cfg))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(listener{ln, on.wrap}) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Errorf("shutting the hub down: %v", err)
		}
		if err := app.ShutdownWithContext(ctx); err != nil {
			t.Errorf("shutting Fiber down: %v", err)
		}
		<-done
		checkOver(t, h)
		wantReport(t, h)
	})
	return "ws://" + ln.Addr().String() + "/ws"
}

// checkOver checks the figures of a hub whose connections are all over.
func checkOver(t *testing.T, h *hub.Hub) {
	t.Helper()
	s := h.Stats()
	if s.Opened != s.Closed || s.Conns != 0 || s.Detached != 0 || s.InPlace != 0 || h.Len() != 0 {
		t.Errorf("%d opened, %d closed; there are %d, %d of them detached, %d in place; Len is %d",
			s.Opened, s.Closed, s.Conns, s.Detached, s.InPlace, h.Len())
	}
	if s.Unsent > s.MessagesOut {
		t.Errorf("%d unsent of %d messages", s.Unsent, s.MessagesOut)
	}
}

// awaitOver waits until every connection of the hub is over.
func awaitOver(t *testing.T, h *hub.Hub) {
	t.Helper()
	eventually(t, "all are over", func() bool { s := h.Stats(); return s.Opened == s.Closed && s.Conns == 0 })
	checkOver(t, h)
}

// base is what a process holds before a test. What ran before it may end meanwhile, so that less is all right.
type base struct{ goroutines, files int }

func takeBase() base { return base{goroutines(), descriptors()} }

func (b base) await(t *testing.T) {
	t.Helper()
	eventually(t, "the goroutines are what they were", func() bool { return goroutines() <= b.goroutines })
	eventually(t, "the descriptors are what they were", func() bool { return descriptors() <= b.files })
}

// most returns the first number, and the second one where everything takes longer or has to be short.
func most(n, slow int) int {
	if raced || testing.Short() {
		return slow
	}
	return n
}

// crowd calls f for each number below n, from several goroutines.
func crowd(n, workers int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				f(int(i))
			}
		})
	}
	wg.Wait()
}

// dialed connects from any goroutine; nil when that failed, which the test knows then.
func dialed(t *testing.T, address string, options ...wsxtest.Options) *wsxtest.Client {
	t.Helper()
	c, resp, err := wsxtest.TryDial(t, address, options...)
	if c == nil {
		t.Errorf("dialing: %v, %v", resp, err)
		return nil
	}
	return c
}

// numbered returns a message with a number, of a length that says whether it is whole.
func numbered(n int) string { return padded(strconv.Itoa(n), n) }

func padded(s string, n int) string { return s + "." + strings.Repeat("x", n%97) }

// readNumbered reads messages until they have come in the order of the numbers, whole and each one once.
func readNumbered(c *wsxtest.Client, numbers []int) error {
	for i, n := range numbers {
		m, err := c.Read()
		if err != nil {
			return fmt.Errorf("after %d of %d messages: %w", i, len(numbers), err)
		}
		if string(m.Data) != numbered(n) {
			return fmt.Errorf("message %d is %q, want %q", i, m.Data, numbered(n))
		}
	}
	return nil
}

// TestTransports checks that the others' tests run on what they think.
func TestTransports(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		h := echoHub()
		c := wsxtest.Dial(t, on.serve(t, h))
		said(t, c, "hello")
		s := h.Stats()
		if detached := s.Detached == 1; detached != on.detached || s.Detached+s.InPlace != 1 || s.Conns != 1 {
			t.Errorf("%d detached, %d in place of %d", s.Detached, s.InPlace, s.Conns)
		}
		c.Close()
		awaitOver(t, h)
	})
}
