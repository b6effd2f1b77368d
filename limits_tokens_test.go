package wsx_test

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/wsxtest"
)

var boundsOfTokens = map[string]bound{
	"auth.MaxToken":                 reachMaxToken,
	"jwt.DefaultLeeway":             reachLeeway,
	"auth.MaxTicketLife":            reachTicketLife,
	"unused tickets":                issues(auth.TicketConfig{MaxTickets: 2}, 2, http.StatusServiceUnavailable),
	"unused tickets of one subject": issues(auth.TicketConfig{}, 8, http.StatusTooManyRequests),
	"fiber.Config.IdleTimeout":      reachIdle,
}

// reachMaxToken: a token that is too long is refused before it is read, though Fiber takes the header.
func reachMaxToken(t *testing.T, _ transport) {
	h, app := echoHub(), newApp(fiber.Config{ReadTimeout: time.Minute, ReadBufferSize: 16 << 10})
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Auth: auth.Static(map[string]string{versionToken: "ann"}), Logger: quiet}))
	addr := serve(t, app, h)
	for size, want := range map[int]int{auth.MaxToken: http.StatusUnauthorized, auth.MaxToken + 1: http.StatusBadRequest} {
		if got := status(t, addr, handshake("/ws", "+Authorization: Bearer "+strings.Repeat("x", size))); got != want {
			t.Errorf("a token of %s: got %d, want %d", fmtSize(size), got, want)
		}
	}
}

// reachLeeway brings tokens that an issuer has made whose clock is ahead.
func reachLeeway(t *testing.T, on transport) {
	address := on.serve(t, echoHub(), wsx.Config{Auth: jwt.HMAC(key), TokenLookup: "query:token"})
	for ahead, want := range map[time.Duration]int{
		jwt.DefaultLeeway - 10*time.Second: http.StatusSwitchingProtocols, jwt.DefaultLeeway + time.Minute: http.StatusUnauthorized,
	} {
		begin := time.Now().Add(ahead)
		token, err := jwt.Sign(key, jwt.Claims{Subject: "ann", NotBefore: begin, Expires: begin.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		if _, resp, err := wsxtest.TryDial(t, address+"?token="+token); err != nil || resp.StatusCode != want {
			t.Errorf("%s ahead: got %v, %v, want %d", ahead, resp, err, want)
		}
	}
}

// reachTicketLife uses a ticket whose life is over; and no configuration may make tickets live longer than the limit.
func reachTicketLife(t *testing.T, _ transport) {
	const life = 50 * time.Millisecond
	tickets := auth.NewTickets(auth.TicketConfig{Lifetime: life})
	h, app := echoHub(), newApp()
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Auth: tickets, TokenLookup: "query:ticket", Logger: quiet}))
	addr := serve(t, app, h)
	ticket, err := tickets.Issue(auth.Identity{Subject: "ann", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	<-time.After(life + 10*time.Millisecond)
	if got := status(t, addr, handshake("/ws?ticket="+ticket)); got != http.StatusUnauthorized {
		t.Errorf("got %d, want 401", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("a longer life is taken")
		}
	}()
	auth.NewTickets(auth.TicketConfig{Lifetime: auth.MaxTicketLife + 1})
}

// issues is a bound of tickets: a subject gets so many, and this answer to the next request.
func issues(cfg auth.TicketConfig, issued, refused int) bound {
	return func(t *testing.T, _ transport) {
		addr, _ := serveTickets(t, new(record), cfg)
		token := tokenFor(t, "ann")
		for range issued {
			ticketFor(t, addr, token)
		}
		if got := status(t, addr, postTicket("Authorization: Bearer "+token)); got != refused {
			t.Errorf("the next one: got %d, want %d", got, refused)
		}
	}
}

// reachIdle leaves a connection alone on which a request was refused.
func reachIdle(t *testing.T, _ transport) {
	h, app := echoHub(), newApp(fiber.Config{ReadTimeout: time.Minute, IdleTimeout: 50 * time.Millisecond})
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet}))
	resp, c := wsxtest.Exchange(t, serve(t, app, h), handshake("/ws", "+Origin: https://evil.example"))
	if resp.StatusCode != http.StatusForbidden {
		t.Fatalf("got %s", resp.Status)
	}
	body(t, resp)
	_ = c.Conn().SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.ReadFrame(); err == nil || errors.Is(err, net.ErrClosed) || isTimeout(err) {
		t.Errorf("it ended with %v, want the server's end", err)
	}
}
