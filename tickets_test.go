package wsx_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/keyauth"
	gojwt "github.com/golang-jwt/jwt/v5"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// whoami makes a hub that tells each client its subject.
var whoami = hub.Config{OnOpen: func(c *hub.Conn) error { return c.SendText("you are " + c.Subject()) }, CloseTimeout: 100 * time.Millisecond}

// serveTickets serves tickets at /ticket for JWTs, and takes them at /ws.
func serveTickets(t *testing.T, log *record, config ...auth.TicketConfig) (addr string, h *hub.Hub) {
	t.Helper()
	tickets := auth.NewTickets(config...)
	cfg := whoami
	cfg.Logger = log.logger()
	h = echoHub(cfg)
	app := newApp()
	app.All("/ticket", wsx.Tickets(tickets, wsx.Config{
		Hub: h, Auth: jwt.HMAC(key), TokenLookup: "header:Authorization,cookie:session", Logger: log.logger(),
	}))
	app.Use("/ws", wsx.New(wsx.Config{
		Hub: h, Auth: tickets, TokenLookup: "query:ticket,protocol:wsx.ticket", Logger: log.logger(),
	}))
	return serve(t, app, h), h
}

func postTicket(fields ...string) string {
	return "POST /ticket HTTP/1.1\r\nHost: example.com\r\nContent-Length: 0\r\n" + strings.Join(append(fields, "\r\n"), "\r\n")
}

// ticketFor asks for a ticket.
func ticketFor(t *testing.T, addr, token string) string {
	t.Helper()
	resp, c := wsxtest.Exchange(t, addr, postTicket("Authorization: Bearer "+token))
	defer c.Conn().Close()
	var got struct {
		Ticket    string `json:"ticket"`
		ExpiresIn int    `json:"expires_in_ms"`
	}
	if text := body(t, resp); resp.StatusCode != http.StatusOK || json.Unmarshal([]byte(text), &got) != nil {
		t.Fatalf("got %s: %s", resp.Status, text)
	}
	if got.ExpiresIn != 30_000 || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("good for %d ms, %q", got.ExpiresIn, resp.Header.Get("Cache-Control"))
	}
	logged.watch(got.Ticket)
	return got.Ticket
}

// TestATicketOpens one connection, by a URL or a subprotocol, as whom asked for it and for as long as that token lasts.
func TestATicketOpens(t *testing.T) {
	l := &leakTest{T: t}
	addr, h := serveTickets(t, &l.log)
	opened := make(map[string]*wsxtest.Client)
	for name, with := range map[string]func(ticket string) string{
		"query": func(ticket string) string { return handshake("/ws?ticket=" + ticket) },
		"subprotocol": func(ticket string) string {
			return handshake("/ws", "+Sec-WebSocket-Protocol: wsx.v1, wsx.ticket."+ticket)
		},
	} {
		request := with(ticketFor(t, addr, lastingFor(t, "ann", 3*time.Second)))
		resp, c := wsxtest.Exchange(t, addr, request)
		if got := l.answer(resp); got != http.StatusSwitchingProtocols {
			t.Fatalf("%s: got %d", name, got)
		}
		if got := c.ReadText(); got != "you are ann" {
			t.Errorf("%s: got %q", name, got)
		}
		again, other := wsxtest.Exchange(t, addr, request)
		if got := l.answer(again); got != http.StatusUnauthorized {
			t.Errorf("%s: a replay got %d", name, got)
		}
		_ = other.Conn().Close()
		opened[name] = c
	}
	for name, c := range opened {
		if e := c.ReadClose(); e.Status != ws.StatusTokenExpired {
			t.Errorf("%s: closed with %v, want the end of the first token", name, e)
		}
	}
	l.check(h)
}

func TestWhoGetsATicket(t *testing.T) {
	addr, h := serveTickets(t, new(record))
	ann := "Authorization: Bearer " + tokenFor(t, "ann")
	revoked, err := jwt.Sign(key, jwt.Claims{Subject: "ann", ID: "7", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Revoke(hub.Revocation{ID: "7", Until: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		request string
		status  int
	}{
		"a token":               {postTicket(ann), 200},
		"a cookie":              {postTicket("Cookie: session="+tokenFor(t, "bob"), "Origin: https://example.com"), 200},
		"another site's cookie": {postTicket("Cookie: session="+tokenFor(t, "bob"), "Origin: https://evil.example"), 403},
		"no token":              {postTicket(), 401},
		"a bad token":           {postTicket("Authorization: Bearer " + badToken), 401},
		"a revoked token":       {postTicket("Authorization: Bearer " + logged.watchToken(revoked)), 401},
		"two tokens":            {postTicket(ann, "Cookie: session="+tokenFor(t, "bob")), 400},
		"two hosts":             {postTicket(ann, "Host: example.com"), 400},
		"a GET":                 {strings.Replace(postTicket(ann), "POST", "GET", 1), 405},
		"a PUT":                 {strings.Replace(postTicket(ann), "POST", "PUT", 1), 405},
	} {
		if got := status(t, addr, row.request); got != row.status {
			t.Errorf("%s: got %d, want %d", name, got, row.status)
		}
	}
	for range 7 {
		ticketFor(t, addr, tokenFor(t, "ann"))
	}
	if got := status(t, addr, postTicket(ann)); got != http.StatusTooManyRequests {
		t.Errorf("a ninth: got %d, want 429", got)
	}
	ticketFor(t, addr, tokenFor(t, "carl"))
}

func TestTicketsPanic(t *testing.T) {
	tickets := auth.NewTickets()
	for want, build := range map[string]func(){
		"needs tickets":     func() { wsx.Tickets(nil) },
		"needs Config.Auth": func() { wsx.Tickets(tickets) },
		"live for ever":     func() { wsx.Tickets(tickets, wsx.Config{Auth: tickets}) },
		"Config.Origins":    func() { wsx.Tickets(tickets, wsx.Config{Auth: jwt.HMAC(key), Origins: []string{"x"}}) },
	} {
		t.Run(want, func(t *testing.T) {
			defer func() {
				if p, _ := recover().(string); !strings.HasPrefix(p, "wsx: ") || !strings.Contains(p, want) {
					t.Errorf("panicked with %q", p)
				}
			}()
			build()
		})
	}
}

// TestIdentify uses what earlier middleware has verified: a token as contrib/jwt leaves it, a key as keyauth does.
func TestIdentify(t *testing.T) {
	h := echoHub(whoami)
	app := newApp()
	app.Use("/jwt", func(c *fiber.Ctx) error { // as contrib/jwt does
		token, err := gojwt.Parse(c.Get("X-Token"), func(*gojwt.Token) (any, error) { return key, nil }, gojwt.WithValidMethods([]string{"HS256"}))
		if err == nil {
			c.Locals("user", token)
		}
		return c.Next()
	}, wsx.New(wsx.Config{Hub: h, Logger: quiet, Identify: func(c *fiber.Ctx) (id auth.Identity, err error) {
		token, ok := c.Locals("user").(*gojwt.Token)
		if !ok {
			return id, errors.New("no token")
		}
		id.Subject, err = token.Claims.GetSubject()
		if end, _ := token.Claims.GetExpirationTime(); end != nil {
			id.Expires = end.Time
		}
		return id, err
	}}))
	app.Use("/key", keyauth.New(keyauth.Config{Validator: func(_ *fiber.Ctx, k string) (bool, error) { return k == goodToken, nil }}),
		wsx.New(wsx.Config{Hub: h, Logger: quiet, Identify: func(c *fiber.Ctx) (auth.Identity, error) {
			if c.Locals("token") != goodToken {
				return auth.Identity{}, errors.New("no key")
			}
			return auth.Identity{Subject: "device"}, nil
		}}))
	app.Use("/nobody", wsx.New(wsx.Config{Hub: h, Logger: quiet, Identify: func(*fiber.Ctx) (auth.Identity, error) { return auth.Identity{}, nil }}))
	addr := serve(t, app, h)
	for request, want := range map[string]string{
		handshake("/jwt", "+X-Token: "+tokenFor(t, "ann")):     "you are ann",
		handshake("/jwt", "+X-Token: "+tokenFor(t, "ann")+"x"): "401",
		handshake("/jwt"): "401",
		handshake("/jwt", "+Authorization: Bearer "+tokenFor(t, "ann")): "401",
		handshake("/key", "+Authorization: Bearer "+goodToken):          "you are device",
		handshake("/nobody"): "401",
	} {
		resp, c := wsxtest.Exchange(t, addr, request)
		got := fmt.Sprint(resp.StatusCode)
		if resp.StatusCode == http.StatusSwitchingProtocols {
			got = c.ReadText()
		}
		if got != want {
			t.Errorf("%.60q: got %s, want %s", request, got, want)
		}
		_ = c.Conn().Close()
	}
}

// TestIdentifiedSubjectsStay: what Identify takes from the request may refer to it.
func TestIdentifiedSubjectsStay(t *testing.T) {
	kept := make(chan *hub.Conn, 100)
	h := echoHub(hub.Config{OnOpen: func(c *hub.Conn) error { kept <- c; return nil }})
	app := newApp()
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet, Identify: func(c *fiber.Ctx) (auth.Identity, error) {
		return auth.Identity{Subject: c.Query("q"), ID: c.Query("q")}, nil
	}}))
	app.Get("/plain/*", func(c *fiber.Ctx) error { return c.SendString(c.Path()) })
	addr := serve(t, app, h)
	for n := range cap(kept) {
		c := keptAlive(t, addr, handshake(fmt.Sprintf("/ws?q=value-%03d", n)))
		c.Close()
	}
	for range 2 * cap(kept) {
		if got := status(t, addr, "GET /plain/?q=somebody-else HTTP/1.1\r\nHost: a\r\n\r\n"); got != http.StatusOK {
			t.Fatalf("got %d", got)
		}
	}
	for n := range cap(kept) {
		id, want := (<-kept).Identity(), fmt.Sprintf("value-%03d", n)
		if id.Subject != want || id.ID != want {
			t.Fatalf("got %+v, want %s", id, want)
		}
	}
}
