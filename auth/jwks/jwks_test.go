package jwks_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwks"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// issuer signs, and publishes keys. It is an http.RoundTripper, so that it lives in a bubble.
type issuer struct {
	mu      sync.Mutex
	keys    map[string]ed25519.PrivateKey
	extra   []string // members of the set as they are
	tail    string   // behind the set
	fetches int
	takes   time.Duration
	status  int
}

func newIssuer(kids ...string) *issuer {
	i := &issuer{keys: make(map[string]ed25519.PrivateKey), status: http.StatusOK}
	for _, kid := range kids {
		i.publish(kid, newKey())
	}
	return i
}

func newKey() ed25519.PrivateKey {
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	return key
}

func (i *issuer) publish(kid string, key ed25519.PrivateKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys[kid] = key
}

func (i *issuer) set(change func(*issuer)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change(i)
}

func (i *issuer) fetched() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.mu.Lock()
	i.fetches++
	takes, status, all := i.takes, i.status, append([]string(nil), i.extra...)
	tail := i.tail
	for kid, key := range i.keys {
		x := base64.RawURLEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
		all = append(all, fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","use":"sig","kid":%q,"x":%q}`, kid, x))
	}
	i.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	body := `{"keys":[` + strings.Join(all, ",") + `]}` + tail
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}}, nil
}

// token is ann's, for an hour, signed by a key whatever its name.
func token(t *testing.T, kid string, key crypto.Signer) string {
	t.Helper()
	encode := func(v any) string {
		p, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(p)
	}
	signed := encode(map[string]any{"alg": "EdDSA", "kid": kid}) + "." + encode(map[string]any{"sub": "ann", "exp": time.Now().Add(time.Hour).Unix()})
	signature, err := key.Sign(rand.Reader, []byte(signed), crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (i *issuer) token(t *testing.T, kid string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return token(t, kid, i.keys[kid])
}

func (i *issuer) verifier() auth.Authenticator {
	return jwks.New("https://id.example.com/jwks.json", jwks.Config{Client: &http.Client{Transport: i}})
}

func want(t *testing.T, what string, by auth.Authenticator, token string, target error) {
	t.Helper()
	id, err := by.Authenticate(t.Context(), token)
	if !errors.Is(err, target) || (target == nil) != (id.Subject == "ann") {
		t.Errorf("%s: got %q, %v, want %v", what, id.Subject, err, target)
	}
}

func wantFetches(t *testing.T, i *issuer, n int) {
	t.Helper()
	if got := i.fetched(); got != n {
		t.Errorf("%d fetches, want %d", got, n)
	}
}

// TestOneFetchAtATime has many come before the first set has.
func TestOneFetchAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer("1")
		i.takes = time.Second
		by := i.verifier()
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { want(t, "good", by, i.token(t, "1"), nil) })
		}
		all.Wait()
		wantFetches(t, i, 1)
	})
}

func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer("1")
		by := i.verifier()
		want(t, "the first key", by, i.token(t, "1"), nil)
		old := i.token(t, "1")
		time.Sleep(time.Minute)
		i.publish("2", newKey())
		want(t, "a new key", by, i.token(t, "2"), nil)
		wantFetches(t, i, 2)
		i.set(func(i *issuer) { delete(i.keys, "1") })
		want(t, "a key that is gone, for a while", by, old, nil)
		time.Sleep(15*time.Minute + 1)
		want(t, "a key that is gone", by, old, jwt.ErrUnknownKey)
		want(t, "the new key", by, i.token(t, "2"), nil)
		wantFetches(t, i, 3)
	})
}

// TestMadeUpKidsFetchLittle sends tokens with thousands of kids for ten minutes.
func TestMadeUpKidsFetchLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer("1")
		by, mine := i.verifier(), newKey()
		for n := range 6_000 {
			if _, err := by.Authenticate(t.Context(), token(t, fmt.Sprint("kid", n), mine)); err == nil {
				t.Fatal("taken")
			}
			time.Sleep(100 * time.Millisecond)
		}
		if got := i.fetched(); got > 61 {
			t.Errorf("%d fetches in ten minutes, want one in ten seconds at most", got)
		}
		want(t, "a good one", by, i.token(t, "1"), nil)
		before := i.fetched()
		for range 50 { // one kid again and again: once a minute
			time.Sleep(time.Second)
			want(t, "unknown", by, token(t, "one", mine), jwt.ErrUnknownKey)
		}
		if got := i.fetched() - before; got > 2 {
			t.Errorf("%d fetches for one kid in 50 s", got)
		}
	})
}

func TestAnIssuerThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer("1")
		by := i.verifier()
		i.set(func(i *issuer) { i.takes = time.Hour })
		began := time.Now()
		want(t, "from the start", by, i.token(t, "1"), jwks.ErrUnavailable)
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("took %s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		time.Sleep(10 * time.Second)
		if _, err := by.Authenticate(ctx, i.token(t, "1")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's", err)
		}
		time.Sleep(20 * time.Second)
		i.set(func(i *issuer) { i.takes = 0 })
		want(t, "again", by, i.token(t, "1"), nil)
		i.set(func(i *issuer) { i.status = http.StatusServiceUnavailable })
		time.Sleep(50 * time.Minute)
		want(t, "with the last set", by, i.token(t, "1"), nil)
		time.Sleep(10*time.Minute + 1)
		want(t, "when that is too old", by, i.token(t, "1"), jwks.ErrUnavailable)
	})
}

// TestHostileSets: what cannot be used is passed over, and does no harm to the rest.
func TestHostileSets(t *testing.T) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret := base64.RawURLEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))
	d := base64.RawURLEncoding.EncodeToString(p256.D.Bytes())
	for name, member := range map[string]string{
		"a secret":      fmt.Sprintf(`{"kty":"oct","kid":"x","k":%q}`, secret),
		"no kid":        `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		"encryption":    `{"kty":"OKP","crv":"Ed25519","use":"enc","kid":"x","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		"weak RSA":      `{"kty":"RSA","kid":"x","n":"AQAB","e":"AQAB"}`,
		"not on curve":  `{"kty":"EC","crv":"P-256","kid":"x","x":"AQ","y":"AQ"}`,
		"a private key": fmt.Sprintf(`{"kty":"EC","crv":"P-256","kid":"x","x":"AQ","y":"AQ","d":%q}`, d),
		"no object":     `7`, "null": `null`, "unknown type": `{"kty":"LMS","kid":"x"}`, "empty": `{}`,
		"a wrong alg": `{"kty":"OKP","crv":"Ed25519","alg":"RS256","kid":"x","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := newIssuer("1")
				i.extra = []string{member}
				by := i.verifier()
				want(t, "a good key beside it", by, i.token(t, "1"), nil)
				want(t, "its kid", by, token(t, "x", newKey()), jwt.ErrUnknownKey)
				want(t, "another's signature", by, token(t, "1", newKey()), jwt.ErrSignature)
				hs := strings.Replace(i.token(t, "1"), "e", "E", 1)
				if _, err := by.Authenticate(t.Context(), hs); err == nil {
					t.Error("taken")
				}
			})
		})
	}
	for name, change := range map[string]func(*issuer){
		"nothing in it": func(i *issuer) { clear(i.keys) },
		"too long":      func(i *issuer) { i.tail = strings.Repeat(" ", 512<<10) },
		"too many keys": func(i *issuer) { i.extra = strings.Split(strings.Repeat("7,", 256)+"7", ",") },
		"no JSON":       func(i *issuer) { i.extra = []string{"x"} },
		"a redirect":    func(i *issuer) { i.status = http.StatusFound },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i := newIssuer("1")
				good := i.token(t, "1")
				change(i)
				want(t, "a token", i.verifier(), good, jwks.ErrUnavailable)
			})
		})
	}
}

// TestRotationOnALiveSocket renews a token with a key that was published after the connection was opened, and has one
// refused whose key is gone.
func TestRotationOnALiveSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer("1")
		by := i.verifier()
		h := hub.New(hub.Config{PingInterval: -1, OnMessage: func(c *hub.Conn, m hub.Message) error { return c.Send(m) }})
		open := func() *wsxtest.Client {
			id, err := by.Authenticate(t.Context(), i.token(t, "1"))
			if err != nil {
				t.Fatal(err)
			}
			client, server := wsxtest.Pipe(t)
			go func() { _ = h.Serve(server, hub.Request{Identity: id, Authenticate: by.Authenticate}) }()
			return client
		}
		renewed, late, old := open(), open(), i.token(t, "1")
		time.Sleep(40 * time.Minute)
		i.publish("2", newKey())
		i.set(func(i *issuer) { delete(i.keys, "1") })
		renewed.SendText(fmt.Sprintf(`{"type":"auth","token":%q}`, i.token(t, "2")))
		if got := renewed.ReadText(); got != `{"type":"auth","ok":true,"expires_in_ms":3600000}` {
			t.Errorf("got %s", got)
		}
		late.SendText(fmt.Sprintf(`{"type":"auth","token":%q}`, old))
		if e := late.ReadClose(); e.Status != ws.StatusAuthFailed {
			t.Errorf("got %v, want 4001", e)
		}
		renewed.Close()
		if err := h.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestNewPanics(t *testing.T) {
	for want, build := range map[string]func(){
		"is not a URL":    func() { jwks.New("id.example.com") },
		"is not https":    func() { jwks.New("http://id.example.com/jwks.json") },
		"Algorithm":       func() { jwks.New("https://a.example", jwks.Config{JWT: jwt.Config{Algorithm: "RS256"}}) },
		"Issuers":         func() { jwks.New("https://a.example", jwks.Config{JWT: jwt.Config{Issuers: []string{""}}}) },
		"is negative":     func() { jwks.New("https://a.example", jwks.Config{Floor: -1}) },
		"write its unit":  func() { jwks.New("https://a.example", jwks.Config{Timeout: 5}) },
		"is shorter than": func() { jwks.New("https://a.example", jwks.Config{MaxStale: time.Second}) },
	} {
		t.Run(want, func(t *testing.T) {
			defer func() {
				if p, _ := recover().(string); !strings.HasPrefix(p, "jw") || !strings.Contains(p, want) {
					t.Errorf("panicked with %q", p)
				}
			}()
			build()
		})
	}
	jwks.New("http://127.0.0.1:8080/jwks.json")
}
