package wsx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/deflate"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

var boundsOfTheHub = map[string]bound{
	"hub.Config.MaxRooms":                        joins(hub.Config{MaxRooms: 2}, hub.ErrTooManyRooms, "a", "b", "c"),
	"name of a room":                             joins(hub.Config{}, hub.ErrRoomName, strings.Repeat("é", 512), strings.Repeat("é", 512)+"a"),
	"requests to one connection that wait":       reachRequests,
	"revocations that a hub remembers":           reachRevocations,
	"read-ahead of OnConn":                       reachReadAhead,
	"what is inflated for nothing":               reachInflated,
	"hub.Config.Compression.ServerMaxWindowBits": agrees(hub.Compression{ServerMaxWindowBits: 10}, "server_max_window_bits=10"),
	"hub.Config.Compression.ClientMaxWindowBits": agrees(hub.Compression{ClientMaxWindowBits: 11}, "client_max_window_bits=11"),
}

// joins is a bound of rooms: a client may join all of them but the last.
func joins(cfg hub.Config, refusal error, rooms ...string) bound {
	return func(t *testing.T, on transport) {
		cfg := cfg
		cfg.OnMessage = func(c *hub.Conn, m hub.Message) error { return c.SendText(fmt.Sprint(c.Join(m.Text()))) }
		c := wsxtest.Dial(t, on.serve(t, echoHub(cfg)))
		for i, room := range rooms {
			c.SendText(room)
			if i < len(rooms)-1 {
				gets(t, c, "<nil>")
			} else {
				gets(t, c, refusal.Error())
			}
		}
	}
}

// agrees is a bound of what compression is agreed on.
func agrees(cfg hub.Compression, want string) bound {
	return func(t *testing.T, on transport) {
		cfg.Enabled = true
		const offer = "permessage-deflate; server_max_window_bits=15; client_max_window_bits"
		_, resp, err := wsxtest.TryDial(t, on.serve(t, echoHub(hub.Config{Compression: cfg})),
			wsxtest.Options{Header: http.Header{"Sec-WebSocket-Extensions": {offer}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Header.Get("Sec-WebSocket-Extensions"); !strings.Contains(got+";", want+";") {
			t.Errorf("agreed on %q, want %s", got, want)
		}
	}
}

// reachRequests asks a client that does not answer.
func reachRequests(t *testing.T, on transport) {
	const most = 64
	h := eventHub()
	c := wsxtest.Dial(t, on.serve(t, h))
	eventually(t, "it is here", func() bool { return h.Len() == 1 })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, most)
	for asked := range h.Conns() {
		for range most {
			go func() { ended <- asked.Request(ctx, "what", nil, nil) }()
		}
		for range most {
			c.ReadText()
		}
		soon, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := asked.Request(soon, "what", nil, nil); !errors.Is(err, hub.ErrTooManyRequests) {
			t.Errorf("one more: %v", err)
		}
	}
	stop()
	for range most {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("one of them: %v", err)
		}
	}
}

// reachRevocations: what cannot be remembered closes who is here all the same.
func reachRevocations(t *testing.T, on transport) {
	const most = 100_000
	h := echoHub()
	c := wsxtest.Dial(t, on.serve(t, h, identified(time.Hour)))
	said(t, c, "here")
	until := time.Now().Add(time.Hour)
	for i := range most {
		if _, err := h.Revoke(hub.Revocation{ID: strconv.Itoa(i), Until: until}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := h.Revoke(hub.Revocation{Subject: "ann", Until: until}); n != 1 || !errors.Is(err, hub.ErrRevocations) {
		t.Errorf("one more: %d, %v", n, err)
	}
	if got := c.ReadClose().Status; got != ws.StatusAuthFailed {
		t.Errorf("closed with %v", got)
	}
}

// reachReadAhead sends more than is read for a function that does not receive.
func reachReadAhead(t *testing.T, on transport) {
	const most, sent = 16, 100
	release, got := make(chan struct{}), make(chan int, 1)
	h := echoHub(hub.Config{Rate: -1, OnConn: func(c *hub.Conn) error {
		<-release
		n := 0
		for range c.Messages() {
			if n++; n == sent {
				break
			}
		}
		got <- n
		return nil
	}})
	c := wsxtest.Dial(t, on.serve(t, h))
	_ = c.Raw(repeated(sent, "x"))
	eventually(t, "some are read", func() bool { return h.Stats().MessagesIn >= most })
	if n := h.Stats().MessagesIn; n > most+1 { // one in hand
		t.Errorf("%d are read ahead", n)
	}
	close(release)
	if n := <-got; n != sent {
		t.Errorf("%d come in the end", n)
	}
}

// reachInflated sends 2 MiB over the rate that have to be inflated: whatever comes next waits for half a second.
func reachInflated(t *testing.T, on transport) {
	h := echoHub(hub.Config{Rate: seldom, Compression: hub.Compression{Enabled: true, ClientContextTakeover: true}})
	c := wsxtest.Dial(t, on.serve(t, h), wsxtest.Options{Header: http.Header{"Sec-WebSocket-Extensions": {"permessage-deflate"}}})
	said(t, c, "the only one")
	zeros := deflate.NewCompressor(1).Append(nil, make([]byte, 64<<10), nil, 12)
	frames := wsxtest.AppendFrame(nil, true, opText|0x40, zeros)
	began := time.Now()
	_ = c.Raw(bytes.Repeat(frames, 32))
	_ = c.Frame(true, opPing, nil)
	for f := (wsxtest.Frame{}); f.Op != opPong; {
		var err error
		if f, err = c.ReadFrame(); err != nil { // a notice
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took < 450*time.Millisecond {
		t.Errorf("the pong came after %s", took)
	}
	if got := h.Stats().RateLimited; got != 32 {
		t.Errorf("%d are over the rate, want 32", got)
	}
}

// TestTheFirstMessageIsAwaited for five seconds, from somebody who never says who it is.
func TestTheFirstMessageIsAwaited(t *testing.T) {
	t.Parallel()
	for name, on := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := wsxtest.Dial(t, on.serve(t, echoHub(), wsx.Config{
				FirstMessage: true, Auth: auth.Static(map[string]string{versionToken: "ann"}),
			}))
			began := time.Now()
			if got := c.ReadClose().Status; got != ws.StatusAuthFailed {
				t.Errorf("closed with %v", got)
			}
			if took := time.Since(began); took < 4*time.Second || took > 15*time.Second {
				t.Errorf("closed after %s, want 5 s", took)
			}
		})
	}
}

var boundsOfTokens = map[string]bound{
	"auth.MaxToken":                 reachMaxToken,
	"jwt.DefaultLeeway":             reachLeeway,
	"auth.MaxTicketLife":            reachTicketLife,
	"unused tickets":                issues(auth.TicketConfig{MaxTickets: 2}, 2, http.StatusServiceUnavailable),
	"unused tickets of one subject": issues(auth.TicketConfig{}, 8, http.StatusTooManyRequests),
	"fiber.Config.IdleTimeout":      reachIdle,
}

// reachMaxToken: a token that is too long is none, however much of a header Fiber takes.
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

// reachLeeway brings tokens from a clock that is ahead.
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

// reachTicketLife uses a ticket when its life is over; it cannot be made longer than that of every other.
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
