package wsx_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// useLate sends to a connection, and tries all else on one that is over. The error says what did not fail.
func useLate(c *hub.Conn) error {
	select {
	case <-c.Done():
	default:
		_ = c.SendText(c.ID())
		return nil
	}
	for name, err := range map[string]error{
		"SendText": c.SendText("late"), "Ping": c.Ping(nil), "Close": c.Close(ws.StatusKicked, "late"),
	} {
		if !errors.Is(err, hub.ErrClosed) {
			return fmt.Errorf("%s on a connection that is over returned %v", name, err)
		}
	}
	return nil
}

// TestLateWriters keeps every handle, and sends to all that have closed while others come and go.
func TestLateWriters(t *testing.T) {
	var (
		mu   sync.Mutex
		kept []*hub.Conn
		stop = make(chan struct{})
	)
	addr, _ := serveEcho(t, wsx.Config{}, hub.Config{OnOpen: func(c *hub.Conn) error {
		mu.Lock()
		defer mu.Unlock()
		kept = append(kept, c)
		return c.SendText(c.ID())
	}})
	write := func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			mu.Lock()
			recent := kept[max(0, len(kept)-30):]
			mu.Unlock()
			for _, c := range recent {
				if err := useLate(c); err != nil {
					t.Error(err)
				}
				runtime.Gosched()
			}
		}
	}
	var writers sync.WaitGroup
	for range 3 {
		writers.Go(write)
	}
	defer writers.Wait()
	defer close(stop)
	for n := range 500 {
		c := wsxtest.Dial(t, "ws://"+addr+"/ws")
		id := c.ReadText()
		for range 3 {
			if got := c.ReadText(); got != id {
				t.Fatalf("connection %d, %s, got what was meant for %s", n, id, got)
			}
		}
		switch n % 3 {
		case 0:
			c.SendClose(ws.StatusNormalClosure, "")
			if e := c.ReadClose(); e.Status != ws.StatusNormalClosure {
				t.Fatalf("connection %d was told %v", n, e)
			}
			_ = c.Conn().Close()
		case 1:
			c.Reset()
		default:
			_ = c.Conn().Close()
		}
	}
}

func TestCloseEndsTheReader(t *testing.T) {
	for name, from := range map[string]func(c *hub.Conn, f func(*hub.Conn)){
		"a handler":         func(c *hub.Conn, f func(*hub.Conn)) { f(c) },
		"another goroutine": func(c *hub.Conn, f func(*hub.Conn)) { go f(c) },
	} {
		t.Run("from "+name, func(t *testing.T) {
			conns, closed := make(chan *hub.Conn, 1), make(chan error, 1)
			began := make(chan time.Time, 1)
			addr, _ := serveEcho(t, wsx.Config{}, hub.Config{
				OnOpen: func(c *hub.Conn) error { conns <- c; return nil },
				OnMessage: func(c *hub.Conn, _ hub.Message) error {
					from(c, func(c *hub.Conn) {
						began <- time.Now()
						if err := c.Close(ws.StatusKicked, "out"); err != nil {
							t.Errorf("Close: %v", err)
						}
						if err := c.SendText("late"); !errors.Is(err, hub.ErrClosed) {
							t.Errorf("a send after Close: %v", err)
						}
					})
					return nil
				},
				OnClose: func(_ *hub.Conn, err error) { closed <- err },
			})
			client := wsxtest.Dial(t, "ws://"+addr+"/ws")
			client.SendText("go")
			if e := client.ReadClose(); e.Status != ws.StatusKicked || e.Reason != "out" {
				t.Errorf("the client was told %v", e)
			}
			if err := <-closed; ws.StatusOf(err) != ws.StatusKicked {
				t.Errorf("OnClose got %v", err)
			}
			c := <-conns
			<-c.Done()
			if took := time.Since(<-began); took > time.Second {
				t.Errorf("took %s", took)
			}
			if c.State() != hub.StateClosed || c.Context().Err() == nil {
				t.Errorf("state %s, context %v", c.State(), c.Context().Err())
			}
			if _, err := client.ReadFrame(); err == nil {
				t.Error("something came after the close frame")
			}
		})
	}
}

// TestCloseOfASilentClient closes a connection whose client neither reads nor answers.
func TestCloseOfASilentClient(t *testing.T) {
	addr, h := serveEcho(t, wsx.Config{}, hub.Config{CloseTimeout: 200 * time.Millisecond})
	wsxtest.Dial(t, "ws://"+addr+"/ws")
	eventually(t, "it is there", func() bool { return h.Len() == 1 })
	for c := range h.Conns() {
		if err := c.Close(ws.StatusKicked, ""); err != nil {
			t.Error(err)
		}
		select {
		case <-c.Done():
		case <-time.After(2 * time.Second):
			t.Error("Close does not end the reader")
		}
	}
}

// shutdownTells connects clients of an echo, shuts the hub down, and expects that each is told.
func shutdownTells(t *testing.T, h *hub.Hub, url string, clients int) {
	t.Helper()
	all := make([]*wsxtest.Client, clients)
	for i := range all {
		all[i] = wsxtest.Dial(t, url)
		all[i].SendText("hello")
		all[i].ReadText()
	}
	done := make(chan error, 1)
	go func() { done <- h.Shutdown(context.Background()) }()
	for _, c := range all {
		if e := c.ReadClose(); e.Status != ws.StatusGoingAway {
			t.Errorf("got %v, want 1001", e)
		}
	}
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestShutdownTellsEverybody(t *testing.T) {
	addr, h := serveEcho(t, wsx.Config{})
	shutdownTells(t, h, "ws://"+addr+"/ws", 100)
	resp, _ := wsxtest.Exchange(t, addr, handshake("/ws"))
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "1" {
		t.Errorf("afterwards: got %s with %v", resp.Status, resp.Header)
	}
}

// facts returns all that a handle says of its request.
func facts(c *hub.Conn) string {
	return fmt.Sprint(c.Params("a"), "|", c.Query("q"), "|", c.Header("X-Name"), "|", c.Cookie("crumb"), "|",
		c.Local("local"), "|", c.IP(), "|", c.Subprotocol(), "|", c.Subject(), "|", c.Claims()["sub"])
}

// TestWhatWasReadStays reads the request's strings when it is long gone: Fiber's own change under the reader.
func TestWhatWasReadStays(t *testing.T) {
	const clients = 100
	type saw struct {
		conn         *hub.Conn
		open, closed string
	}
	over := make(chan saw, clients)
	first := new(sync.Map)
	h := echoHub(hub.Config{
		OnOpen:  func(c *hub.Conn) error { first.Store(c, facts(c)); return nil },
		OnClose: func(c *hub.Conn, _ error) { o, _ := first.Load(c); over <- saw{c, o.(string), facts(c)} },
	})
	app := newApp()
	app.Use(func(c *fiber.Ctx) error {
		c.Locals("local", c.Query("q")) // aliases the request
		return c.Next()
	})
	app.Use("/ws/:a", wsx.New(wsx.Config{
		Hub: h, Auth: jwt.HMAC(key), Subprotocols: []string{"p0", "p1", "p2"}, TrustedProxies: []string{"127.0.0.1"}, Logger: quiet,
	}))
	app.Get("/plain/*", func(c *fiber.Ctx) error { return c.SendString(c.Path()) })
	addr := serve(t, app, h)
	want := make(map[string]bool)
	var all []*wsxtest.Client
	for n := range clients {
		v := fmt.Sprintf("value-%03d", n)
		want[strings.Join([]string{v, v, v, v, v, fmt.Sprint("192.0.2.", n), fmt.Sprint("p", n%3), v, v}, "|")] = true
		all = append(all, keptAlive(t, addr, handshake("/ws/"+v+"?q="+v, "+X-Name: "+v, "+Cookie: crumb="+v,
			"+Authorization: Bearer "+tokenFor(t, v), "+X-Forwarded-For: "+fmt.Sprint("192.0.2.", n),
			fmt.Sprintf("+Sec-WebSocket-Protocol: p%d", n%3))))
	}
	for _, c := range all {
		c.SendText("hello")
		c.ReadText()
		c.Close()
	}
	var ended []saw
	for range clients {
		ended = append(ended, <-over)
	}
	for range 2 * clients { // fasthttp uses what held the requests again
		if got := status(t, addr, "GET /plain/?q=somebody-else HTTP/1.1\r\nHost: a\r\n\r\n"); got != http.StatusOK {
			t.Fatalf("got %d", got)
		}
	}
	for _, s := range ended {
		if !want[s.open] || s.closed != s.open || facts(s.conn) != s.open {
			t.Errorf("in OnOpen %q, in OnClose %q, now %q", s.open, s.closed, facts(s.conn))
		}
		delete(want, s.open)
	}
}

// keptAlive upgrades a connection that has carried other requests before.
func keptAlive(t *testing.T, addr, request string) *wsxtest.Client {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c, r := wsxtest.NewClient(t, nc), bufio.NewReader(nc)
	plain := "GET /plain/" + strings.Repeat("x", 200) + " HTTP/1.1\r\nHost: other.example\r\nX-Name: other\r\n\r\n"
	for _, want := range []int{200, 200, 101} {
		if want == http.StatusSwitchingProtocols {
			plain = request
		}
		if err := c.Raw([]byte(plain)); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil || resp.StatusCode != want {
			t.Fatalf("got %v, %v, want %d", resp, err, want)
		}
		if want == http.StatusOK {
			_ = body(t, resp)
		}
	}
	return c
}
