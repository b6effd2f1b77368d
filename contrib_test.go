package wsx_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

func contribEcho(c *websocket.Conn) {
	for {
		kind, p, err := c.ReadMessage()
		if err != nil || c.WriteMessage(kind, p) != nil {
			return
		}
	}
}

// serveContrib serves fn at /ws/:room and returns "host:port".
func serveContrib(t *testing.T, fn func(*websocket.Conn), cfg wsx.Config, limits ...hub.Config) (string, *hub.Hub) {
	t.Helper()
	h := hub.New(append(limits, hub.Config{Logger: quiet})[0])
	cfg.Hub = h
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
	app := newApp()
	app.Use(func(c *fiber.Ctx) error {
		c.Locals("user", "local "+c.Query("n"))
		return c.Next()
	})
	app.Use("/ws/:room", wsx.Contrib(fn, cfg))
	return serve(t, app, h), h
}

func TestContribSeesTheRequest(t *testing.T) {
	addr, _ := serveContrib(t, func(c *websocket.Conn) {
		_ = c.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, "%s %v %s %s", c.Params("room"), c.Locals("user"), c.Query("n"), c.Subprotocol()))
		contribEcho(c)
	}, wsx.Config{Subprotocols: []string{"chat"}})
	resp, c := wsxtest.Exchange(t, addr, handshake("/ws/blue?n=7", "+Sec-WebSocket-Protocol: mqtt, chat"))
	if resp.Header.Get("Sec-WebSocket-Protocol") != "chat" {
		t.Errorf("answered with the subprotocol %q", resp.Header.Get("Sec-WebSocket-Protocol"))
	}
	if got, want := c.ReadText(), "blue local 7 7 chat"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.SendText("hello")
	if got := c.ReadText(); got != "hello" {
		t.Errorf("got %q", got)
	}
	c.Close()
}

func TestContribIsGuarded(t *testing.T) {
	addr, h := serveContrib(t, contribEcho, wsx.Config{Auth: jwt.HMAC(key), MaxConnsPerSubject: 1}, hub.Config{Logger: quiet, MaxConns: 2})
	ann := "+Authorization: Bearer " + tokenFor(t, "ann")
	for name, tt := range map[string]struct {
		request string
		want    int
	}{
		"origin":     {handshake("/ws/a", ann, "+Origin: https://evil.example"), http.StatusForbidden},
		"no token":   {handshake("/ws/a"), http.StatusUnauthorized},
		"version":    {handshake("/ws/a", ann, "Sec-WebSocket-Version: 8"), http.StatusUpgradeRequired},
		"method":     {handshake("POST /ws/a HTTP/1.1", ann, "+Content-Length: 0"), http.StatusMethodNotAllowed},
		"no upgrade": {handshake("/ws/a", ann, "-Upgrade"), http.StatusNotFound},
	} {
		if got := status(t, addr, tt.request); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
	for range 20 { // the caps count these connections, and give the places back
		c := connect(t, addr, handshake("/ws/a", ann), http.StatusSwitchingProtocols)
		if got := status(t, addr, handshake("/ws/a", ann)); got != http.StatusTooManyRequests {
			t.Fatalf("a second connection of the subject: got %d", got)
		}
		c.Close()
	}
	connect(t, addr, handshake("/ws/a", ann), http.StatusSwitchingProtocols)
	bob := handshake("/ws/a", "+Authorization: Bearer "+tokenFor(t, "bob"))
	connect(t, addr, bob, http.StatusSwitchingProtocols)
	if got := status(t, addr, bob); got != http.StatusServiceUnavailable {
		t.Errorf("a third connection of the hub: got %d", got)
	}
	if h.Len() != 0 {
		t.Errorf("the hub has %d connections of its own", h.Len())
	}
}

func TestContribEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		fn   func(*websocket.Conn)
		want ws.Status
	}{
		"return": {func(*websocket.Conn) {}, ws.StatusNormalClosure},
		"panic":  {func(*websocket.Conn) { panic("a secret") }, ws.StatusInternalError},
		"its own close": {func(c *websocket.Conn) {
			_ = c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4003, "out"))
		}, ws.StatusKicked},
		"too long a message": {contribEcho, ws.StatusMessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			log := new(record)
			addr, _ := serveContrib(t, tt.fn, wsx.Config{Logger: log.logger()}, hub.Config{Logger: quiet, MaxMessage: 100})
			c := wsxtest.Dial(t, "ws://"+addr+"/ws/a")
			if name == "too long a message" {
				c.SendText(strings.Repeat("x", 101))
			}
			e := c.ReadClose()
			if e.Status != tt.want || strings.Contains(e.Reason, "secret") {
				t.Errorf("got %v, want %d", e, tt.want)
			}
			if _, err := c.ReadFrame(); !errors.Is(err, io.EOF) && !isReset(err) {
				t.Errorf("after the close frame: %v", err)
			}
			if strings.Contains(log.String(), "secret") {
				t.Errorf("the log holds the panic's text")
			}
		})
	}
}

// isReset reports whether the peer cut the connection off, which is how one with unread input ends.
func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}

func TestContribDrains(t *testing.T) {
	addr, h := serveContrib(t, contribEcho, wsx.Config{})
	shutdownTells(t, h, "ws://"+addr+"/ws/a", 5)
	if got := status(t, addr, handshake("/ws/a")); got != http.StatusServiceUnavailable {
		t.Errorf("while draining: got %d", got)
	}
}

// TestContribDrainsWithTheHubsStatus: a drain closes contrib's connections with hub.Config.ShutdownStatus, or its
// default.
func TestContribDrainsWithTheHubsStatus(t *testing.T) {
	for status, want := range map[ws.Status]ws.Status{0: ws.StatusGoingAway, ws.StatusServerShutdown: ws.StatusServerShutdown} {
		addr, h := serveContrib(t, contribEcho, wsx.Config{}, hub.Config{Logger: quiet, ShutdownStatus: status})
		c := wsxtest.Dial(t, "ws://"+addr+"/ws/a")
		said(t, c, "here")
		over := make(chan error, 1)
		go func() { over <- h.Shutdown(context.Background()) }()
		if got := c.ReadClose().Status; got != want {
			t.Errorf("with %d: closed with %v, want %v", status, got, want)
		}
		c.Close()
		if err := <-over; err != nil {
			t.Error(err)
		}
	}
}

// TestContribLateWriters keeps the handle after the handler has returned, and writes on. Without the close frame and
// the copy of the pooled Conn such a write reaches whoever has the socket next.
func TestContribLateWriters(t *testing.T) {
	handles := make(chan *websocket.Conn, 1)
	addr, _ := serveContrib(t, func(c *websocket.Conn) {
		_ = c.WriteMessage(websocket.TextMessage, []byte("hello "+c.Query("n")))
		_, _, _ = c.ReadMessage()
		handles <- c
	}, wsx.Config{})
	var (
		mu   sync.Mutex
		over []*websocket.Conn // their handlers have returned
		stop = make(chan struct{})
	)
	lateWriter := func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			mu.Lock()
			old := over[max(0, len(over)-20):]
			mu.Unlock()
			for _, c := range old {
				if c.WriteMessage(websocket.TextMessage, []byte("late")) == nil {
					t.Error("a late write returned no error")
					return
				}
			}
		}
	}
	var writer sync.WaitGroup // one: the handles are for one writer each
	writer.Go(lateWriter)
	defer writer.Wait()
	defer close(stop)
	for n := range 500 {
		c := wsxtest.Dial(t, fmt.Sprintf("ws://%s/ws/a?n=%d", addr, n))
		if got, want := c.ReadText(), fmt.Sprintf("hello %d", n); got != want {
			t.Fatalf("connection %d got %q", n, got)
		}
		c.SendText("go")
		if _, err := c.Read(); ws.StatusOf(err) != ws.StatusNormalClosure {
			t.Fatalf("connection %d got %v", n, err)
		}
		mu.Lock()
		over = append(over, <-handles)
		mu.Unlock()
		_ = c.Conn().Close()
	}
}
