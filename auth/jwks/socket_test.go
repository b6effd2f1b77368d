package jwks_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwks"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestLimitsOnALiveSocket: what a client is told that renews its token when a limit of the key set is reached. The
// issuer is a server too; between the first token and the second its set changes.
func TestLimitsOnALiveSocket(t *testing.T) {
	gone := func(i *issuer) { i.keys = map[string]ed25519.PrivateKey{"2": newKey()} }
	another := func(i *issuer) { i.keys["2"] = newKey() }
	const short, long = time.Millisecond, time.Hour
	for name, row := range map[string]struct {
		cfg    jwks.Config
		change func(*issuer)
		kid    string
		good   bool
	}{
		"a new key, too soon to look again":     {jwks.Config{Floor: long}, another, "2", false},
		"a new key, no more":                    {jwks.Config{Floor: short}, another, "2", true},
		"a key that is gone, in a young set":    {jwks.Config{Floor: short}, gone, "1", true},
		"a key that is gone, in an old set":     {jwks.Config{Floor: short, MaxAge: short}, gone, "1", false},
		"an issuer that hangs, for a while":     {jwks.Config{Floor: short, MaxAge: short, Timeout: 20 * time.Millisecond}, hang, "1", true},
		"an issuer that hangs, for too long":    {jwks.Config{Floor: short, MaxAge: short, MaxStale: short, Timeout: 20 * time.Millisecond}, hang, "1", false},
		"a new key among as many as may be":     {jwks.Config{Floor: short}, crowd(256 - 2), "2", true},
		"a new key among too many":              {jwks.Config{Floor: short}, crowd(256 - 1), "2", false},
		"a known key, when there are too many":  {jwks.Config{Floor: short, MaxAge: short}, crowd(256 - 1), "1", true},
		"a new key in a set that is as long":    {jwks.Config{Floor: short}, padded(400 << 10), "2", true},
		"a new key in a set that is too long":   {jwks.Config{Floor: short}, padded(512 << 10), "2", false},
		"a known key, when the set is too long": {jwks.Config{Floor: short, MaxAge: short}, padded(512 << 10), "1", true},
		"a made-up key":                         {jwks.Config{Floor: short}, func(*issuer) {}, "3", false},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer("1")
			by := i.listen(t, row.cfg)
			c := renewing(t, by, i.token(t, "1"))
			token := i.token(t, "1")
			i.set(row.change)
			<-time.After(2 * short) // where MaxAge is short, the set is too old then
			if row.kid != "1" {
				token = i.tokenOr(t, row.kid)
			}
			c.SendText(fmt.Sprintf(`{"type":"auth","token":%q}`, token))
			if !row.good {
				if e := c.ReadClose(); e.Status != ws.StatusAuthFailed {
					t.Errorf("closed with %v, want 4001", e)
				}
				return
			}
			if got := c.ReadText(); !strings.HasPrefix(got, `{"type":"auth","ok":true`) {
				t.Errorf("got %s", got)
			}
			c.Close()
		})
	}
}

func hang(i *issuer) { i.takes = time.Hour }

// crowd publishes a new key, and n members besides that are no keys.
func crowd(n int) func(*issuer) {
	return func(i *issuer) {
		i.keys["2"] = newKey()
		for range n {
			i.extra = append(i.extra, "7")
		}
	}
}

// padded publishes a new key, and n bytes besides.
func padded(n int) func(*issuer) {
	return func(i *issuer) {
		i.keys["2"] = newKey()
		i.tail = strings.Repeat(" ", n)
	}
}

// tokenOr returns a token that is signed with the issuer's key kid, or where it has none with a made-up one.
func (i *issuer) tokenOr(t *testing.T, kid string) string {
	t.Helper()
	i.mu.Lock()
	key, ok := i.keys[kid]
	i.mu.Unlock()
	if !ok {
		key = newKey()
	}
	return token(t, kid, key)
}

// listen serves the set on TCP, and returns a verifier that asks there.
func (i *issuer) listen(t *testing.T, cfg jwks.Config) auth.Authenticator {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := i.RoundTrip(r)
		if err != nil {
			return
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(server.Close)
	cfg.Client = server.Client()
	return jwks.New(server.URL, cfg)
}

// renewing returns a client, connected over TCP with that token, that may renew it.
func renewing(t *testing.T, by auth.Authenticator, token string) *wsxtest.Client {
	t.Helper()
	id, err := by.Authenticate(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	h := hub.New(hub.Config{OnMessage: func(c *hub.Conn, m hub.Message) error { return c.Send(m) }, Logger: slog.New(slog.DiscardHandler)})
	c := wsxtest.NewClient(t, client)
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = h.Serve(server, hub.Request{Identity: id, Authenticate: by.Authenticate})
	}()
	t.Cleanup(func() {
		_ = client.Close()
		if err := h.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		<-over
	})
	return c
}
