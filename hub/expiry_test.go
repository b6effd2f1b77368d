package hub_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// until returns a request whose token ends after d; 0: never.
func until(d time.Duration) hub.Request {
	r := asSubject("ann")
	if d != 0 {
		r.Identity.Expires = time.Now().Add(d)
	}
	return r
}

// wantEnd waits for a close frame and checks when it comes: not before, and within a second.
func wantEnd(t *testing.T, ended <-chan ws.Status, status ws.Status, at time.Time) {
	t.Helper()
	select {
	case got := <-ended:
		want(t, "status", got, status)
		if late := time.Since(at); late < 0 || late > time.Second {
			t.Errorf("closed %s after its time", late)
		}
	case <-time.After(time.Until(at) + time.Minute):
		t.Error("not closed")
	}
}

func TestATokensEndIsTheConnections(t *testing.T) {
	for _, d := range []time.Duration{time.Nanosecond, time.Millisecond, time.Second, 90 * time.Minute, 26 * time.Hour} {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t, hub.Config{OnMessage: echo})
				end := time.Now().Add(d)
				forever := connect(t, h, until(0))
				s := begin(t, h, until(d))
				wantEnd(t, s.live(), ws.StatusTokenExpired, end)
				s.gone()
				want(t, "cause", ws.StatusOf(s.err), ws.StatusTokenExpired)
				forever.SendText("still here")
				want(t, "echo", forever.ReadText(), "still here")
			})
		})
	}
}

// TestManyTokensEndInTheirTurn has connections come, go and end in any order.
func TestManyTokensEndInTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing})
		done := make(chan struct{})
		const n = 200
		for i := range n {
			d := rand.N(10 * time.Minute)
			end := time.Now().Add(d)
			s := connect(t, h, until(d+time.Millisecond))
			if i%4 == 0 {
				s.Close()
				s.gone()
				go func() { done <- struct{}{} }()
				continue
			}
			ended := s.live()
			go func() {
				wantEnd(t, ended, ws.StatusTokenExpired, end)
				done <- struct{}{}
			}()
		}
		for range n {
			<-done
		}
		synctest.Wait()
		want(t, "connections", h.Len(), 0)
	})
}

// tokens are those that the tests' authenticator knows, by what they say.
func tokens(_ context.Context, token string) (id auth.Identity, err error) {
	subject, life, ok := strings.Cut(token, "/")
	d, err := time.ParseDuration(life)
	switch {
	case !ok || err != nil:
		return id, errors.New("unknown token")
	case subject == "crash":
		panic(marker)
	}
	id = auth.Identity{Subject: subject, Claims: map[string]any{"life": life}, Expires: time.Now().Add(d)}
	if d == 0 {
		id.Expires = time.Time{}
	}
	return id, nil
}

// renewable is a request of ann's with a token of a minute, which she may renew.
func renewable() hub.Request {
	r := until(time.Minute)
	r.Authenticate = tokens
	return r
}

func authMessage(token string) string { return fmt.Sprintf(`{"type":"auth","token":%q}`, token) }

func TestATokenIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: echo})
		s := connect(t, h, renewable())
		for range 10 { // long past the first token's end
			time.Sleep(50 * time.Second)
			s.SendText(authMessage("ann/60s"))
			want(t, "answer", s.ReadText(), `{"type":"auth","ok":true,"expires_in_ms":60000}`)
		}
		want(t, "claims", fmt.Sprint(s.handle.Claims()), "map[life:60s]")
		want(t, "subject", s.handle.Identity().Subject, "ann")
		s.SendText(authMessage("ann/10s")) // an end may come nearer too
		want(t, "answer", s.ReadText(), `{"type":"auth","ok":true,"expires_in_ms":10000}`)
		wantEnd(t, s.live(), ws.StatusTokenExpired, time.Now().Add(10*time.Second))
	})
}

func TestATokenWithoutAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newHub(t, hub.Config{OnMessage: echo}), renewable())
		s.SendText(authMessage("ann/0"))
		want(t, "answer", s.ReadText(), `{"type":"auth","ok":true}`)
		time.Sleep(24 * time.Hour)
		s.SendText("x")
		want(t, "echo", s.ReadText(), "x")
	})
}

// TestTokensThatAreNotTaken end the connection, with the same answer whatever is wrong with them.
func TestTokensThatAreNotTaken(t *testing.T) {
	for name, row := range map[string]struct {
		token  string
		status ws.Status
	}{
		"another subject":   {"bob/60s", ws.StatusAuthFailed},
		"no subject":        {"/60s", ws.StatusAuthFailed},
		"unknown":           {marker, ws.StatusAuthFailed},
		"empty":             {"", ws.StatusAuthFailed},
		"expired":           {"ann/-1ns", ws.StatusAuthFailed},
		"with a line break": {"ann/60s\n", ws.StatusAuthFailed},
		"too long":          {"ann/" + strings.Repeat("0", auth.MaxToken) + "60s", ws.StatusAuthFailed},
		"crash":             {"crash/60s", ws.StatusInternalError},
	} {
		t.Run(name, func(t *testing.T) {
			s := connect(t, newHub(t, hub.Config{OnMessage: echo}), renewable())
			s.SendText(authMessage(row.token))
			e := s.ReadClose()
			want(t, "status", e.Status, row.status)
			if row.status == ws.StatusAuthFailed {
				want(t, "reason", e.Reason, "authentication failed")
			}
		})
	}
}

// TestOnlyTokensAreTaken sends what looks like a message with a token: it is the handler's.
func TestOnlyTokensAreTaken(t *testing.T) {
	s := connect(t, newHub(t, hub.Config{OnMessage: echo}), renewable())
	for _, m := range []string{
		`{"type":"say","text":"\"auth\""}`, `"auth"`, `["auth"]`, `{"type":"auth"`, `{"type":["auth"],"token":"ann/60s"}`,
		`{"data":{"type":"auth","token":"ann/60s"}}`, `{"type":"auth","token":7}`,
		`{"type":"auth","token":"` + strings.Repeat("x", 16<<10) + `"}`,
	} {
		s.SendText(m)
		want(t, "echo", s.ReadText(), m)
	}
	s.Send(hub.Message{Type: ws.Binary, Data: []byte(authMessage("bob/60s"))})
	m, err := s.Read()
	must(t, err)
	want(t, "echo", m.Type, ws.Binary)
	plain := connect(t, newHub(t, hub.Config{OnMessage: echo}), until(time.Hour))
	plain.SendText(authMessage("bob/60s"))
	want(t, "echo of a hub that renews nothing", plain.ReadText(), authMessage("bob/60s"))
}

func TestRenewalsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := connect(t, newHub(t, hub.Config{OnMessage: echo, Rate: -1}), renewable())
		for range 5 {
			s.SendText(authMessage("ann/60s"))
			s.ReadText()
		}
		time.Sleep(time.Second)
		s.SendText(authMessage("ann/60s"))
		s.ReadText()
		s.SendText(authMessage("ann/60s"))
		s.wantClose(ws.StatusRateLimited)
	})
}

// TestRenewalsReachNoHandler in any of the modes, and count for nothing.
func TestRenewalsReachNoHandler(t *testing.T) {
	var seen list[string]
	for name, cfg := range map[string]hub.Config{
		"OnMessage": {OnMessage: func(_ *hub.Conn, m hub.Message) error { seen.add(m.Text()); return nil }},
		"OnConn": {OnConn: func(c *hub.Conn) error {
			for m := range c.Messages() {
				seen.add(m.Text())
			}
			return nil
		}},
		"OnBatch": {OnBatch: func(_ context.Context, b *hub.Batch) error {
			for _, it := range b.All() {
				seen.add(it.Message.Text())
			}
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			seen = list[string]{}
			h := newHub(t, cfg)
			s := connect(t, h, renewable())
			s.SendText("a")
			s.SendText(authMessage("ann/60s"))
			s.ReadText()
			s.SendText("b")
			s.Close()
			s.gone()
			must(t, h.Shutdown(t.Context()))
			want(t, "handled", fmt.Sprint(seen.all()), "[a b]")
			want(t, "counted", h.Stats().MessagesIn, 2)
		})
	}
}
