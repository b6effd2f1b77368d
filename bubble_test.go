package wsx_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// inMemory is an application whose sockets are memory, so that its time can be a bubble's.
type inMemory struct {
	app    *fiber.App
	ln     *fasthttputil.InmemoryListener
	served chan error
}

func startInMemory(app *fiber.App) *inMemory {
	m := &inMemory{app: app, ln: fasthttputil.NewInmemoryListener(), served: make(chan error, 1)}
	go func() { m.served <- app.Listener(m.ln) }()
	return m
}

func (m *inMemory) dial(t *testing.T) *wsxtest.Client {
	t.Helper()
	return wsxtest.Dial(t, "ws://example.com/ws", wsxtest.Options{Dial: func() (net.Conn, error) { return m.ln.Dial() }})
}

// stop ends the application and all that fasthttp has started for it.
func (m *inMemory) stop(t *testing.T, hubs ...*hub.Hub) {
	t.Helper()
	for _, h := range hubs {
		if err := h.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}
	if err := m.app.Shutdown(); err != nil {
		t.Error(err)
	}
	if err := <-m.served; err != nil {
		t.Error(err)
	}
	time.Sleep(time.Minute) // fasthttp's cleaner of idle workers looks now and then
}

// listen reads for as long as it takes, up to a close frame, and returns its status. With answer it does what a client
// has to do, otherwise nothing.
func listen(c *wsxtest.Client, answer bool) ws.Status {
	for {
		f, err := c.ReadFrame()
		switch {
		case errors.Is(err, fasthttputil.ErrTimeout):
			continue // of the client's own patience
		case err != nil:
			return ws.StatusAbnormalClosure
		case answer && f.Op == opPing:
			_ = c.Frame(true, opPong, f.Payload)
		case f.Op == opClose:
			if answer {
				_ = c.Frame(true, opClose, f.Payload)
			}
			if len(f.Payload) < 2 {
				return ws.StatusNoStatusRcvd
			}
			return ws.Status(binary.BigEndian.Uint16(f.Payload))
		}
	}
}

func TestHeartbeatCutsASilentClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type end struct {
			cause error
			after time.Duration
		}
		ends := make(chan end, 2)
		began := time.Now()
		h := echoHub(hub.Config{
			PingInterval: 30 * time.Second, PongTimeout: 10 * time.Second,
			OnClose: func(_ *hub.Conn, err error) { ends <- end{err, time.Since(began)} },
		})
		app := newApp()
		app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet}))
		m := startInMemory(app)
		alive, silent := m.dial(t), m.dial(t)
		said(t, silent, "hello")
		goodbye := make(chan ws.Status, 1)
		go func() { goodbye <- listen(alive, true) }()
		if got := listen(silent, false); got != ws.StatusHeartbeatTimeout {
			t.Errorf("the silent client was told %d, want 4008", got)
		}
		e := <-ends
		if ws.StatusOf(e.cause) != ws.StatusHeartbeatTimeout {
			t.Errorf("OnClose got %v", e.cause)
		}
		if e.after > 42*time.Second {
			t.Errorf("found after %s, later than interval, timeout and a second", e.after)
		}
		time.Sleep(10 * time.Minute)
		if h.Len() != 1 {
			t.Errorf("%d connections after ten minutes, want the one that answers", h.Len())
		}
		m.stop(t, h)
		if got := <-goodbye; got != ws.StatusGoingAway {
			t.Errorf("the client that answers was told %d, want 1001", got)
		}
		if e := <-ends; ws.StatusOf(e.cause) != ws.StatusGoingAway {
			t.Errorf("the other one ended with %v", e.cause)
		}
	})
}

func TestASocketWithoutAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := echoHub(hub.Config{OnOpen: func(c *hub.Conn) error { return c.SendText("ip " + c.IP()) }})
		app := newApp()
		app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet, MaxConnsPerIP: 1}))
		m := startInMemory(app)
		c := m.dial(t)
		if got := c.ReadText(); got != "ip " {
			t.Errorf("got %q, want no address", got)
		}
		c.Close()
		m.stop(t, h)
	})
}
