package wsx

import (
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx/hub"
)

// TestAcceptingTakesTurns: where connections come one right behind the other, a turn is taken every 50 µs.
func TestAcceptingTakesTurns(t *testing.T) {
	l := &patient{Listener: ready{}}
	wantTurns(t, &l.takeTurn, func() {
		if _, err := l.Accept(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestHandshakesTakeTurns: so it is with their handshakes.
func TestHandshakesTakeTurns(t *testing.T) {
	g, err := compile(configDefault([]Config{{
		Hub: hub.New(hub.Config{OnMessage: func(*hub.Conn, hub.Message) error { return nil }}),
	}}))
	if err != nil {
		t.Fatal(err)
	}
	accepted := 0
	app := fiber.New()
	app.Get("/ws", func(c *fiber.Ctx) error {
		return g.handle(c, func(_ *fiber.Ctx, a *admission) error {
			accepted++
			a.slot.release()
			return nil
		})
	})
	app.Handler() // before ServeConn needs it
	r := &request{text: "GET /ws HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"}
	handshakes := 0
	wantTurns(t, &g.takeTurn, func() {
		r.left = strings.NewReader(r.text)
		if err := app.Server().ServeConn(r); err != nil {
			t.Fatal(err)
		}
		handshakes++
	})
	if accepted != handshakes {
		t.Errorf("%d of %d handshakes were accepted", accepted, handshakes)
	}
}

// TestRefusalsTakeTurns: each of them does, before it is answered.
func TestRefusalsTakeTurns(t *testing.T) {
	const handshakes = 200
	turns, answered := 0, 0
	g, err := compile(configDefault([]Config{{
		Hub: hub.New(hub.Config{OnMessage: func(*hub.Conn, hub.Message) error { return nil }}),
		ErrorHandler: func(c *fiber.Ctx, err error) error {
			if answered++; turns != answered {
				t.Errorf("answer %d comes after %d turns", answered, turns)
			}
			return fiber.DefaultErrorHandler(c, err)
		},
		Logger: slog.New(slog.DiscardHandler),
	}}))
	if err != nil {
		t.Fatal(err)
	}
	g.takeTurn = func() { turns++ }
	app := fiber.New()
	app.Get("/ws", func(c *fiber.Ctx) error { return g.handle(c, g.upgrade) })
	app.Handler() // before ServeConn needs it
	one := "GET /ws HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n"
	for range handshakes {
		if err := app.Server().ServeConn(&request{left: strings.NewReader(one)}); err != nil {
			t.Fatal(err)
		}
	}
	if answered != handshakes {
		t.Errorf("%d of %d handshakes were refused", answered, handshakes)
	}
}

// wantTurns wants ten turns, which is what take is to be, in enough calls of f, and not more than one every 50 µs.
func wantTurns(t *testing.T, take *func(), f func()) {
	t.Helper()
	const wanted = 10
	turns, begun := 0, time.Now()
	*take = func() { turns++ }
	for turns < wanted {
		f()
		if time.Since(begun) > 10*time.Second {
			t.Fatalf("%d turns in 10 s, want %d", turns, wanted)
		}
	}
	if took := time.Since(begun); took < (wanted-1)*50*time.Microsecond {
		t.Errorf("%d turns in %v", wanted, took)
	}
}

// request is a connection that sends one request.
type request struct {
	net.Conn
	text string
	left *strings.Reader
}

func (r *request) Read(p []byte) (int, error)     { return r.left.Read(p) }
func (*request) Write(p []byte) (int, error)      { return len(p), nil }
func (*request) Close() error                     { return nil }
func (*request) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*request) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*request) SetDeadline(time.Time) error      { return nil }
func (*request) SetReadDeadline(time.Time) error  { return nil }
func (*request) SetWriteDeadline(time.Time) error { return nil }

// ready is a listener for which there is always somebody.
type ready struct{ net.Listener }

func (ready) Accept() (net.Conn, error) { return nil, nil }
