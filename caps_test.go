package wsx_test

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gofiber/fiber/v2"
	recovery "github.com/gofiber/fiber/v2/middleware/recover"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// serveOne serves a single place at /ws/:room, behind middleware that fails as the request's X-Fail says.
func serveOne(t *testing.T) string {
	t.Helper()
	fail := func(c *hub.Conn, when string) error {
		switch c.Header("X-Fail") {
		case when + " error":
			return errors.New("no")
		case when + " panic":
			panic("no")
		case when + " goexit":
			runtime.Goexit()
		}
		return nil
	}
	h := echoHub(hub.Config{
		MaxConns: 1,
		OnOpen:   func(c *hub.Conn) error { return fail(c, "open") },
		OnClose:  func(c *hub.Conn, _ error) { _ = fail(c, "close") },
		OnMessage: func(c *hub.Conn, m hub.Message) error {
			if err := fail(c, "message"); err != nil {
				return err
			}
			return c.Send(m)
		},
	})
	app := newApp()
	app.Use(recovery.New(), func(c *fiber.Ctx) error {
		err := c.Next()
		switch c.Get("X-Fail") {
		case "outer error":
			return fiber.NewError(http.StatusInternalServerError, "outer")
		case "outer panic":
			panic("outer")
		case "outer timeout": // fasthttp then forgets the hijack handler
			c.Context().TimeoutErrorWithCode("late", http.StatusGatewayTimeout)
		}
		return err
	})
	app.Use("/ws/:room", wsx.New(wsx.Config{
		Hub: h, Auth: jwt.HMAC(key), MaxConnsPerIP: 1, MaxConnsPerSubject: 1, Logger: quiet,
		Authorize: func(_ *fiber.Ctx, id auth.Identity) error {
			if id.Subject == "bob" {
				return errors.New("not bob")
			}
			return nil
		},
	}))
	return serve(t, app, h)
}

// TestEveryFailureGivesItsPlacesBack fails again and again in each way that there is, and connects in between.
func TestEveryFailureGivesItsPlacesBack(t *testing.T) {
	addr := serveOne(t)
	ann, bob := "+Authorization: Bearer "+tokenFor(t, "ann"), "+Authorization: Bearer "+tokenFor(t, "bob")
	good := handshake("/ws/a", ann)
	for _, tt := range []struct {
		name    string
		request string
		status  int // 101: the failure comes later
	}{
		{"method", handshake("POST /ws/a HTTP/1.1", ann, "+Content-Length: 0"), 405},
		{"version", handshake("/ws/a", ann, "Sec-WebSocket-Version: 12"), 426},
		{"origin", handshake("/ws/a", ann, "+Origin: https://evil.example"), 403},
		{"no token", handshake("/ws/a"), 401},
		{"bad token", handshake("/ws/a", ann+"x"), 401},
		{"two tokens", handshake("/ws/a", ann, bob), 400},
		{"Authorize", handshake("/ws/a", bob), 403},
		{"bad escape in the path", handshake("/ws/%zz", ann), 400},
		{"control byte in the path", handshake("/ws/a%00", ann), 400},
		{"an error outside", handshake("/ws/a", ann, "+X-Fail: outer error"), 500},
		{"a panic outside", handshake("/ws/a", ann, "+X-Fail: outer panic"), 500},
		{"a timeout outside", handshake("/ws/a", ann, "+X-Fail: outer timeout"), 504},
		{"an error in OnOpen", handshake("/ws/a", ann, "+X-Fail: open error"), 101},
		{"a panic in OnOpen", handshake("/ws/a", ann, "+X-Fail: open panic"), 101},
		{"Goexit in OnOpen", handshake("/ws/a", ann, "+X-Fail: open goexit"), 101},
		{"a panic in OnMessage", handshake("/ws/a", ann, "+X-Fail: message panic"), 101},
		{"Goexit in OnMessage", handshake("/ws/a", ann, "+X-Fail: message goexit"), 101},
		{"a panic in OnClose", handshake("/ws/a", ann, "+X-Fail: close panic"), 101},
		{"Goexit in OnClose", handshake("/ws/a", ann, "+X-Fail: close goexit"), 101},
		{"reset", good, 101},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 10 {
				c := connect(t, addr, tt.request, tt.status)
				if c != nil && tt.name != "reset" {
					_ = c.Frame(true, opText, []byte("hello")) // the server may be gone already
					_ = c.Frame(true, opClose, nil)
					for err := error(nil); err == nil; {
						_, err = c.ReadFrame()
					}
				}
				if c != nil {
					c.Reset()
				}
				connect(t, addr, good, http.StatusSwitchingProtocols).Close()
			}
		})
	}
}

// connect sends a request until the place is free that the one before had, and wants this status then. It returns nil
// when that is not 101.
func connect(t *testing.T, addr, request string, want int) *wsxtest.Client {
	t.Helper()
	var client *wsxtest.Client
	eventually(t, fmt.Sprintf("the answer %d", want), func() bool {
		resp, c := wsxtest.Exchange(t, addr, request)
		switch resp.StatusCode {
		case http.StatusSwitchingProtocols:
			client = c
			if want != resp.StatusCode {
				t.Fatal("connected")
			}
			return true
		case want:
			_ = c.Conn().Close()
			return true
		case http.StatusServiceUnavailable, http.StatusTooManyRequests: // the one before is not over yet
			_ = c.Conn().Close()
			runtime.GC() // gives back what fasthttp has forgotten
			return false
		default:
			t.Fatalf("got %s, want %d", resp.Status, want)
			return true
		}
	})
	return client
}

// TestAPanicBeforeThe101GivesItsPlacesBack at once, and not when the garbage collector comes by.
func TestAPanicBeforeThe101GivesItsPlacesBack(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	crash := func(c *fiber.Ctx, where string) {
		if c.Get("X-Fail") == where {
			panic(where)
		}
	}
	h := echoHub(hub.Config{MaxConns: 1})
	app := newApp()
	app.Use(recovery.New())
	app.Use("/ws", wsx.New(wsx.Config{
		Hub: h, Logger: quiet, MaxConnsPerIP: 1,
		Identify: func(c *fiber.Ctx) (auth.Identity, error) {
			crash(c, "Identify")
			return auth.Identity{Subject: "ann"}, nil
		},
		Authorize: func(c *fiber.Ctx, _ auth.Identity) error { crash(c, "Authorize"); return nil },
		Bind:      func(c *fiber.Ctx) (any, error) { crash(c, "Bind"); return nil, nil },
	}))
	addr := serve(t, app, h)
	for _, where := range []string{"Identify", "Authorize", "Bind", "nowhere"} {
		resp, c := wsxtest.Exchange(t, addr, handshake("/ws", "+X-Fail: "+where))
		want := http.StatusInternalServerError
		if where == "nowhere" {
			want = http.StatusSwitchingProtocols
		}
		if resp.StatusCode != want {
			t.Errorf("%s: %s, want %d", where, resp.Status, want)
		}
		_ = c.Conn().Close()
	}
}

// TestRefusedByACapGivesTheOthersBack refuses at the last cap, and looks whether the ones before are given back.
func TestRefusedByACapGivesTheOthersBack(t *testing.T) {
	addr, _ := serveEcho(t, wsx.Config{
		Auth: jwt.HMAC(key), TrustedProxies: []string{"127.0.0.1"}, MaxConnsPerIP: 2, MaxConnsPerSubject: 1,
	}, hub.Config{MaxConns: 3})
	from := func(subject, ip string) string {
		return handshake("/ws", "+Authorization: Bearer "+tokenFor(t, subject), "+X-Forwarded-For: "+ip)
	}
	for _, tt := range []struct {
		times       int
		subject, ip string
		want        int
	}{
		{1, "ann", "192.0.2.1", 101},
		{20, "ann", "192.0.2.1", 429}, // the subject's cap
		{1, "bob", "192.0.2.1", 101},
		{20, "eve", "192.0.2.1", 429}, // the address's cap
		{20, "ann", "192.0.2.2", 429},
		{1, "eve", "192.0.2.2", 101},
		{20, "joe", "192.0.2.3", 503}, // the total cap
	} {
		for range tt.times {
			resp, _ := wsxtest.Exchange(t, addr, from(tt.subject, tt.ip)) // stays until the test ends
			if resp.StatusCode != tt.want {
				t.Fatalf("%s from %s: got %s, want %d", tt.subject, tt.ip, resp.Status, tt.want)
			}
		}
	}
}

func TestCapsHoldUnderARush(t *testing.T) {
	const limit, rush = 10, 60
	addr, h := serveEcho(t, wsx.Config{MaxConnsPerIP: limit})
	var accepted, refused atomic.Int32
	var clients sync.WaitGroup
	release := make(chan struct{})
	for range rush {
		clients.Go(func() {
			resp, c := wsxtest.Exchange(t, addr, handshake("/ws"))
			switch resp.StatusCode {
			case http.StatusSwitchingProtocols:
				accepted.Add(1)
			case http.StatusTooManyRequests:
				refused.Add(1)
			}
			<-release
			_ = c.Conn().Close()
		})
	}
	eventually(t, "everybody is answered", func() bool { return accepted.Load()+refused.Load() == rush })
	if accepted.Load() != limit {
		t.Errorf("%d connected, want %d", accepted.Load(), limit)
	}
	close(release)
	clients.Wait()
	eventually(t, "everybody is gone", func() bool { return h.Len() == 0 })
}

func TestHandshakeRate(t *testing.T) {
	addr, _ := serveEcho(t, wsx.Config{
		TrustedProxies: []string{"127.0.0.1"}, HandshakeRate: 0.01, HandshakeBurst: 3, Auth: jwt.HMAC(key),
	})
	for i, want := range []int{401, 401, 401, 429, 429} { // the limit comes before the token
		resp, _ := wsxtest.Exchange(t, addr, handshake("/ws", "+X-Forwarded-For: 192.0.2.1"))
		if resp.StatusCode != want {
			t.Errorf("handshake %d: got %s, want %d", i+1, resp.Status, want)
		}
		if after := resp.Header.Get("Retry-After"); want == 429 && after != "100" && after != "99" {
			t.Errorf("Retry-After: got %q, want about 100", after)
		}
	}
	if got := status(t, addr, handshake("/ws", "+X-Forwarded-For: 192.0.2.2")); got != http.StatusUnauthorized {
		t.Errorf("another address: got %d", got)
	}
}
