package wsx_test

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// office is an application in memory that gives tickets to whom has a token, and takes them.
type office struct {
	*testing.T
	*inMemory
	hub *hub.Hub
}

func openOffice(t *testing.T) *office {
	cfg := whoami
	cfg.PingInterval = -1
	h, tickets, app := echoHub(cfg), auth.NewTickets(), newApp()
	app.Post("/ticket", wsx.Tickets(tickets, wsx.Config{Hub: h, Auth: jwt.HMAC(key), Logger: quiet}))
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Auth: tickets, TokenLookup: "query:ticket", Logger: quiet}))
	return &office{t, startInMemory(app), h}
}

// ticket exchanges a token of ann's that lasts so long.
func (o *office) ticket(life time.Duration) string {
	o.Helper()
	nc, err := o.ln.Dial()
	if err != nil {
		o.Fatal(err)
	}
	defer nc.Close()
	if _, err := nc.Write([]byte(postTicket("Authorization: Bearer " + lastingFor(o.T, "ann", life)))); err != nil {
		o.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		o.Fatal(err)
	}
	var got struct{ Ticket string }
	if text := body(o.T, resp); json.Unmarshal([]byte(text), &got) != nil || got.Ticket == "" {
		o.Fatalf("got %s: %s", resp.Status, text)
	}
	logged.watch(got.Ticket)
	return got.Ticket
}

// use tries a ticket; the client is nil when that is refused, as it has to be with 401.
func (o *office) use(ticket string) *wsxtest.Client {
	o.Helper()
	c, resp, err := wsxtest.TryDial(o.T, "ws://example.com/ws?ticket="+ticket, wsxtest.Options{
		Dial: func() (net.Conn, error) { return o.ln.Dial() },
	})
	if err != nil {
		o.Fatal(err)
	}
	if c == nil && resp.StatusCode != http.StatusUnauthorized {
		o.Errorf("got %s, want 401", resp.Status)
	}
	return c
}

func (o *office) let(c *wsxtest.Client) *wsxtest.Client {
	o.Helper()
	if c == nil {
		o.Fatal("a good ticket is refused")
	}
	if got := c.ReadText(); got != "you are ann" {
		o.Errorf("got %q", got)
	}
	return c
}

// TestATicketsLife: it opens one connection, whatever happens to that, within 30 s; the connection ends with the token
// that the ticket was for, or when that is revoked.
func TestATicketsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t)
		first, unused, late := o.ticket(time.Minute), o.ticket(time.Minute), o.ticket(time.Hour)
		began := time.Now()
		c := o.let(o.use(first))
		if o.use(first) != nil {
			t.Error("a replay is let in beside the connection")
		}
		time.Sleep(auth.MaxTicketLife - time.Second)
		other := o.let(o.use(late))
		time.Sleep(2 * time.Second)
		if o.use(unused) != nil {
			t.Error("an old ticket is let in")
		}
		if got := listen(c, true); got != ws.StatusTokenExpired {
			t.Errorf("closed with %v", got)
		}
		if after := time.Since(began); after < time.Minute || after > time.Minute+time.Second {
			t.Errorf("closed after %s, want the token's minute", after)
		}
		if o.use(first) != nil {
			t.Error("a replay is let in behind the connection")
		}
		o.revoke(other)
		o.stop(t, o.hub)
	})
}

// revoke revokes ann's tokens: her connection ends, and so do her tickets.
func (o *office) revoke(c *wsxtest.Client) {
	o.Helper()
	waiting := o.ticket(time.Hour)
	if n, err := o.hub.Revoke(hub.Revocation{Subject: "ann", Until: time.Now().Add(time.Hour)}); n != 1 || err != nil {
		o.Errorf("%d closed, %v", n, err)
	}
	if got := listen(c, true); got != ws.StatusAuthFailed {
		o.Errorf("closed with %v", got)
	}
	if o.use(waiting) != nil {
		o.Error("a ticket from before the revocation is let in")
	}
}

// TestAnAnswerThatNobodyTakes: a client that does not read the 101 is cut after 5 s, and gives its places back.
func TestAnAnswerThatNobodyTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, app := echoHub(hub.Config{MaxConns: 1}), newApp()
		app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet}))
		ln := &pipes{make(chan net.Conn), make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- app.Listener(ln) }()
		client, server := net.Pipe() // which has no buffer
		ln.conns <- server
		if _, err := client.Write([]byte(handshake("/ws"))); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if r, err := h.Reserve(); err == nil {
			r.Release()
			t.Error("it has no place meanwhile")
		}
		time.Sleep(5*time.Second + time.Millisecond)
		synctest.Wait()
		if r, err := h.Reserve(); err != nil {
			t.Errorf("after 5 s: %v", err)
		} else {
			r.Release()
		}
		if n, err := client.Read(make([]byte, 1)); err == nil {
			t.Errorf("read %d bytes, want the end", n)
		}
		if s := h.Stats(); s.Opened != 0 {
			t.Errorf("%d opened", s.Opened)
		}
		close(ln.closed)
		_ = client.Close()
		(&inMemory{app: app, served: served}).stop(t, h)
	})
}

// pipes is a listener of connections that are handed to it.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case nc := <-l.conns:
		return nc, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error   { return nil }
func (l *pipes) Addr() net.Addr { return &net.TCPAddr{} }
