package wsx_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/helmet"
	recovery "github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/gofiber/fiber/v2/middleware/requestid"
	"github.com/valyala/fasthttp"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// tellParams makes a hub that tells each client the parameters a, b and *1 of its route.
var tellParams = hub.Config{OnOpen: func(c *hub.Conn) error {
	return c.SendText(fmt.Sprintf("a=%s b=%s *=%s", c.Params("a"), c.Params("b"), c.Params("*1")))
}}

const passed = http.StatusTeapot // the answer of the next handler

// TestRoutes mounts the middleware in every way that Fiber has.
func TestRoutes(t *testing.T) {
	for _, tt := range []struct {
		name  string
		mount func(app *fiber.App, h fiber.Handler)
		paths map[string]any // a status, or what the client is told
	}{
		{"Use without a path", func(app *fiber.App, h fiber.Handler) { app.Use(h) },
			map[string]any{"/": "a= b= *=", "/any/where": "a= b= *="}},
		{"Use with /", func(app *fiber.App, h fiber.Handler) { app.Use("/", h) },
			map[string]any{"/": "a= b= *=", "/any": "a= b= *="}},
		{"Use with a path", func(app *fiber.App, h fiber.Handler) { app.Use("/ws", h) },
			map[string]any{"/ws": "a= b= *=", "/ws/": "a= b= *=", "/ws/sub": "a= b= *=", "/WS": "a= b= *=", "/ws?x=y": "a= b= *=",
				"/wsx": passed, "/ws-2": passed, "/ws.html": passed, "/wsx/ws": passed, "/w": passed, "/": passed}},
		{"Use with a slash at the end", func(app *fiber.App, h fiber.Handler) { app.Use("/ws/", h) },
			map[string]any{"/ws": "a= b= *=", "/ws/": "a= b= *=", "/wsx": passed}},
		{"Use with a param", func(app *fiber.App, h fiber.Handler) { app.Use("/ws/:a", h) },
			map[string]any{"/ws/1": "a=1 b= *=", "/ws/1/sub": "a=1 b= *=", "/ws": passed, "/wsx/1": passed}},
		{"Use with a constant behind a param", func(app *fiber.App, h fiber.Handler) { app.Use("/:a/ws", h) },
			map[string]any{"/1/ws": "a=1 b= *=", "/1/ws/sub": "a=1 b= *=", "/1/ws/": "a=1 b= *=", "/1/wsx": passed, "/1/wsx/ws": passed, "/1": passed}},
		{"Use with a wildcard", func(app *fiber.App, h fiber.Handler) { app.Use("/ws/*", h) },
			map[string]any{"/ws/1/2": "a= b= *=1/2"}},
		{"Use with an optional param", func(app *fiber.App, h fiber.Handler) { app.Use("/ws/:a?", h) },
			map[string]any{"/ws": "a= b= *=", "/ws/1": "a=1 b= *="}},
		{"Get", func(app *fiber.App, h fiber.Handler) { app.Get("/ws", h) },
			map[string]any{"/ws": "a= b= *=", "/ws/": "a= b= *=", "/wsx": passed, "/ws/sub": passed}},
		{"Get with params", func(app *fiber.App, h fiber.Handler) { app.Get("/ws/:a/in/:b", h) },
			map[string]any{"/ws/1/in/2": "a=1 b=2 *=", "/ws/1/in": passed}},
		{"Get with a constant behind", func(app *fiber.App, h fiber.Handler) { app.Get("/ws/:a/live", h) },
			map[string]any{"/ws/1/live": "a=1 b= *=", "/ws/1/liver": passed}},
		{"Get with two params in a segment", func(app *fiber.App, h fiber.Handler) { app.Get("/ws/:a-:b", h) },
			map[string]any{"/ws/1-2": "a=1 b=2 *="}},
		{"Group", func(app *fiber.App, h fiber.Handler) { app.Group("/api/:a").Use("/ws", h) },
			map[string]any{"/api/1/ws": "a=1 b= *=", "/api/1/ws/x": "a=1 b= *=", "/api/1/wsx": passed}},
		{"handler of a group", func(app *fiber.App, h fiber.Handler) { app.Group("/api", h) },
			map[string]any{"/api": "a= b= *=", "/api/x": "a= b= *=", "/apix": passed}},
		{"mounted app", func(app *fiber.App, h fiber.Handler) {
			sub := fiber.New()
			sub.Use("/ws/:b", h)
			app.Mount("/api", sub)
		}, map[string]any{"/api/ws/2": "a= b=2 *=", "/api/wsx/2": passed, "/apix/ws/2": passed}},
		{"root of a mounted app", func(app *fiber.App, h fiber.Handler) {
			sub := fiber.New()
			sub.Use(h)
			app.Mount("/ws", sub)
		}, map[string]any{"/ws": "a= b= *=", "/ws/x": "a= b= *=", "/wsx": passed}},
		{"route", func(app *fiber.App, h fiber.Handler) { app.Route("/v1", func(r fiber.Router) { r.Get("/ws", h) }) },
			map[string]any{"/v1/ws": "a= b= *=", "/v1/wsx": passed}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := echoHub(tellParams)
			app := newApp()
			tt.mount(app, wsx.New(wsx.Config{Hub: h, Logger: quiet}))
			app.Use(func(c *fiber.Ctx) error { return c.SendStatus(passed) })
			addr := serve(t, app, h)
			for path, want := range tt.paths {
				resp, c := wsxtest.Exchange(t, addr, handshake(path))
				got := any(resp.StatusCode)
				if resp.StatusCode == http.StatusSwitchingProtocols {
					got = c.ReadText()
				}
				if got != want {
					t.Errorf("%s: got %v, want %v", path, got, want)
				}
				_ = c.Conn().Close()
			}
		})
	}
}

func TestParamsAreUnescaped(t *testing.T) {
	h := echoHub(tellParams)
	app := newApp()
	app.Use("/ws/:a", wsx.New(wsx.Config{Hub: h, Logger: quiet}))
	addr := serve(t, app, h)
	for path, want := range map[string]string{
		"/ws/plain": "plain", "/ws/a%20b": "a b", "/ws/a+b": "a+b", "/ws/h%C3%A4": "hä", "/ws/a%2Fb": "a/b", "/ws/%2e%2e": "..",
		"/ws/50%25": "50%", "/ws/%252e": "%2e",
		"/ws/%zz": "", "/ws/%": "", "/ws/%4": "", "/ws/%ff": "", "/ws/a%00": "", "/ws/a%0d%0ab": "", "/ws/%7f": "", "/ws/%c0%ae": "",
	} {
		resp, c := wsxtest.Exchange(t, addr, handshake(path))
		switch {
		case want == "" && resp.StatusCode != http.StatusBadRequest:
			t.Errorf("%s: got %s, want 400", path, resp.Status)
		case want != "" && resp.StatusCode != http.StatusSwitchingProtocols:
			t.Errorf("%s: got %s", path, resp.Status)
		case want != "":
			if got := c.ReadText(); got != "a="+want+" b= *=" {
				t.Errorf("%s: got %q, want %q", path, got, want)
			}
		}
		_ = c.Conn().Close()
	}
}

// rateHeaders does with the response what limiters do: before the next handler, and after it.
func rateHeaders(c *fiber.Ctx) error {
	c.Set("X-RateLimit-Limit", "100")
	err := c.Next()
	c.Set("X-RateLimit-Remaining", "99")
	return err
}

// TestOtherMiddleware looks at what earlier handlers leave with the response and the request.
func TestOtherMiddleware(t *testing.T) {
	h := echoHub(hub.Config{OnOpen: func(c *hub.Conn) error {
		return c.SendText(fmt.Sprint(c.Local("requestid"), " ", c.Local("number"), " ", c.Cookie("in"), " ", c.Query("q")))
	}})
	app := newApp()
	app.Use(recovery.New(), rateHeaders, helmet.New())
	app.Use(requestid.New(requestid.Config{Generator: func() string { return "id-1" }}))
	app.Use(func(c *fiber.Ctx) error {
		c.Locals("number", 42)
		c.Cookie(&fiber.Cookie{Name: "session", Value: "s1", HTTPOnly: true})
		c.Cookie(&fiber.Cookie{Name: "theme", Value: "dark"})
		c.Append("X-List", "a", "b")
		c.Set("X-Split", "a\r\nX-Evil: yes") // fasthttp takes the line break out
		return c.Next()
	})
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet}))
	resp, c := wsxtest.Exchange(t, serve(t, app, h), handshake("/ws?q=1", "+Cookie: in=2"))
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %s", resp.Status)
	}
	for name, want := range map[string]string{
		"X-Request-Id": "id-1", "X-List": "a, b", "X-Frame-Options": "SAMEORIGIN", "X-Content-Type-Options": "nosniff",
		"X-Ratelimit-Limit":     "100",
		"X-Ratelimit-Remaining": "99", "X-Evil": "", "Content-Length": "", "Content-Type": "", "Transfer-Encoding": "",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if cookies := resp.Cookies(); len(cookies) != 2 || !strings.Contains(fmt.Sprint(resp.Header["Set-Cookie"]), "session=s1") {
		t.Errorf("got the cookies %v", cookies)
	}
	if got := c.ReadText(); got != "id-1 42 2 1" {
		t.Errorf("got %q", got)
	}
	c.Close()
}

func TestAnErrorAfterNextIsTheAnswer(t *testing.T) {
	h := echoHub()
	app := newApp(fiber.Config{ReadTimeout: 5 * time.Second, ErrorHandler: func(c *fiber.Ctx, err error) error {
		c.Set("X-Handled", "yes")
		return c.Status(http.StatusBadGateway).SendString("handled: " + err.Error())
	}})
	app.Use(func(c *fiber.Ctx) error {
		if err := c.Next(); err != nil {
			return err
		}
		return fiber.NewError(http.StatusBadGateway, "changed my mind")
	})
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet}))
	addr := serve(t, app, h)
	resp, c := wsxtest.Exchange(t, addr, handshake("/ws"))
	if resp.StatusCode != http.StatusBadGateway || resp.Header.Get("X-Handled") != "yes" {
		t.Errorf("got %s with %v", resp.Status, resp.Header)
	}
	if got := body(t, resp); got != "handled: changed my mind" {
		t.Errorf("got %q", got)
	}
	if _, err := c.ReadFrame(); err == nil {
		t.Error("the connection goes on")
	}
	if n := h.Stats().Opened; n != 0 {
		t.Errorf("%d connections opened", n)
	}
}

// allocsOf returns what a plain request costs in an app with these handlers in front.
func allocsOf(t *testing.T, request string, handlers ...any) float64 {
	t.Helper()
	app := newApp()
	for _, h := range handlers {
		app.Use("/", h)
	}
	app.Get("/api/items", func(*fiber.Ctx) error { return nil })
	var ctx fasthttp.RequestCtx
	if err := ctx.Request.Header.Read(bufio.NewReader(strings.NewReader(request))); err != nil {
		t.Fatal(err)
	}
	handle := app.Handler()
	return testing.AllocsPerRun(200, func() {
		handle(&ctx)
		ctx.Response.Reset()
	})
}

func TestWhatIsNoUpgradeCostsNothing(t *testing.T) {
	const request = "GET /api/items HTTP/1.1\r\nHost: example.com\r\nUser-Agent: x\r\nAccept: */*\r\nCookie: a=b\r\n" +
		"Connection: keep-alive\r\nAuthorization: Bearer x\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"
	middleware := wsx.New(wsx.Config{Hub: echoHub(), MaxConnsPerIP: 5, TrustedProxies: []string{"10.0.0.1"}})
	var without, with float64
	for range 10 { // under the race detector a pool forgets at random
		without = allocsOf(t, request)
		with = allocsOf(t, request, middleware)
		if with <= without {
			return
		}
	}
	t.Errorf("%.0f allocations with the middleware, %.0f without", with, without)
}
