package wsx_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// lastingFor is a token of ann's.
func lastingFor(t *testing.T, subject string, d time.Duration) string {
	t.Helper()
	token, err := jwt.Sign(key, jwt.Claims{Subject: subject, Expires: time.Now().Add(d)})
	if err != nil {
		t.Fatal(err)
	}
	return logged.watchToken(token)
}

func (m *inMemory) dialAs(t *testing.T, token string) *wsxtest.Client {
	t.Helper()
	return wsxtest.Dial(t, "ws://example.com/ws", wsxtest.Options{
		Dial: func() (net.Conn, error) { return m.ln.Dial() }, Header: map[string][]string{"Authorization": {"Bearer " + token}},
	})
}

// TestATokensLife has JWTs end on live sockets, renewed, renewed by somebody else's, and not at all.
func TestATokensLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, log := echoHub(hub.Config{PingInterval: -1}), new(record)
		app := newApp()
		app.Use("/ws", wsx.New(wsx.Config{Hub: h, Auth: jwt.HMAC(key), Refresh: true, Logger: log.logger()}))
		m := startInMemory(app)
		began := time.Now()
		left, renewed, stolen := m.dialAs(t, lastingFor(t, "ann", time.Minute)), m.dialAs(t, lastingFor(t, "ann", time.Minute)),
			m.dialAs(t, lastingFor(t, "ann", time.Minute))
		time.Sleep(30 * time.Second)
		renewed.SendText(fmt.Sprintf(`{"type":"auth","token":%q}`, lastingFor(t, "ann", 2*time.Minute)))
		if got := renewed.ReadText(); got != `{"type":"auth","ok":true,"expires_in_ms":120000}` {
			t.Errorf("got %s", got)
		}
		stolen.SendText(fmt.Sprintf(`{"type":"auth","token":%q}`, lastingFor(t, "bob", 2*time.Minute)))
		if got := listen(stolen, true); got != ws.StatusAuthFailed {
			t.Errorf("another subject's token: got %d", got)
		}
		for _, row := range []struct {
			client *wsxtest.Client
			end    time.Duration
		}{{left, time.Minute}, {renewed, 150 * time.Second}} {
			if got := listen(row.client, true); got != ws.StatusTokenExpired {
				t.Errorf("got %d, want 4007", got)
			}
			if after := time.Since(began); after < row.end || after > row.end+time.Second {
				t.Errorf("ended after %s, want %s", after, row.end)
			}
		}
		m.stop(t, h)
	})
}

// TestRenewedTokensStayInside sends tokens in messages, good and bad, and looks at what comes out.
func TestRenewedTokensStayInside(t *testing.T) {
	ann := tokenFor(t, "ann")
	forged := ann[:len(ann)-4] + "AAAA"
	logged.watchToken(forged)
	for _, token := range []string{ann, forged, marker, tokenFor(t, "bob"), lastingFor(t, "ann", -time.Hour), marker + "\n"} {
		l := &leakTest{T: t}
		addr, h := serveEcho(t, wsx.Config{Auth: jwt.HMAC(key), Refresh: true, Logger: l.log.logger()},
			hub.Config{Logger: l.log.logger(), CloseTimeout: 100 * time.Millisecond})
		resp, c := wsxtest.Exchange(t, addr, handshake("/ws", "+Authorization: Bearer "+ann))
		l.answer(resp)
		c.SendText(fmt.Sprintf(`{"type":"auth","token":%q}`, token))
		l.hear(c, token == ann)
		_ = c.Conn().Close()
		eventually(t, "it is over", func() bool { return h.Len() == 0 })
		l.check(h)
	}
}

// TestRevokedTokens are refused in the handshake with the same 401 as any other, until a newer one comes.
func TestRevokedTokens(t *testing.T) {
	addr, h := serveEcho(t, wsx.Config{Auth: jwt.HMAC(key), Logger: quiet})
	token := func(id string, at time.Time) string {
		token, err := jwt.Sign(key, jwt.Claims{Subject: "ann", ID: id, IssuedAt: at, Expires: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return handshake("/ws", "+Authorization: Bearer "+logged.watchToken(token))
	}
	old, stolen, later := token("1", time.Now()), token("2", time.Now().Add(2*time.Second)), token("3", time.Now().Add(2*time.Second))
	_, live := wsxtest.Exchange(t, addr, old)
	for _, r := range []hub.Revocation{{Subject: "ann"}, {ID: "2"}} {
		r.Until = time.Now().Add(time.Hour)
		if _, err := h.Revoke(r); err != nil {
			t.Fatal(err)
		}
	}
	if e := live.ReadClose(); e.Status != ws.StatusAuthFailed {
		t.Errorf("closed with %v", e)
	}
	for request, want := range map[string]int{old: 401, stolen: 401, later: 101} {
		if got := status(t, addr, request); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
}

// TestFirstMessages says over sockets who the clients are: the caps of the address and of the subject hold.
func TestFirstMessages(t *testing.T) {
	l := &leakTest{T: t}
	cfg := whoami
	cfg.Logger = l.log.logger()
	addr, h := serveEcho(t, wsx.Config{
		Auth: jwt.HMAC(key), FirstMessage: true, MaxConnsPerIP: 3, MaxConnsPerSubject: 1, Logger: l.log.logger(),
	}, cfg)
	if _, err := h.Revoke(hub.Revocation{ID: "7", Until: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	revoked, err := jwt.Sign(key, jwt.Claims{Subject: "eve", ID: "7", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	open := func() (c *wsxtest.Client) {
		eventually(t, "there is a place", func() bool { // the last one may still have it
			var resp *http.Response
			resp, c = wsxtest.Exchange(t, addr, handshake("/ws"))
			return l.answer(resp) == http.StatusSwitchingProtocols
		})
		return c
	}
	introduce := func(c *wsxtest.Client, token string) { c.SendText(fmt.Sprintf(`{"type":"auth","token":%q}`, token)) }
	ann := open()
	introduce(ann, tokenFor(t, "ann"))
	if got := ann.ReadText() + ann.ReadText(); !strings.HasSuffix(got, "you are ann") {
		t.Errorf("got %s", got)
	}
	for token, want := range map[string]ws.Status{
		tokenFor(t, "ann"): ws.StatusTryAgainLater, badToken: ws.StatusAuthFailed, logged.watchToken(revoked): ws.StatusAuthFailed,
	} {
		c := open()
		introduce(c, token)
		if e := c.ReadClose(); e.Status != want {
			t.Errorf("closed with %v, want %v", e, want)
		}
	}
	eventually(t, "those are over", func() bool { return h.Stats().Strangers == 3 })
	open()
	open()
	if got := status(t, addr, handshake("/ws")); got != http.StatusTooManyRequests {
		t.Errorf("beside two that say nothing: got %d, want 429", got)
	}
	if got := status(t, addr, handshake("/ws", "+Authorization: Bearer "+badToken)); got != http.StatusTooManyRequests {
		t.Errorf("got %d", got)
	}
	ann.Close()
	eventually(t, "a bad token in the request is refused", func() bool {
		return status(t, addr, handshake("/ws", "+Authorization: Bearer "+badToken)) == http.StatusUnauthorized
	})
	l.check(h)
}
