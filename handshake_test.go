package wsx_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

var key = []byte("0123456789abcdef0123456789abcdef")

// tokenFor returns a token that is valid for an hour.
func tokenFor(t testing.TB, subject string) string {
	t.Helper()
	token, err := jwt.Sign(key, jwt.Claims{Subject: subject, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return logged.watchToken(token)
}

// answers are the rows of the handshake's table: what is asked, and what is answered.
type answer struct {
	name    string
	request string
	status  int
	header  map[string]string // want; "" for a field that must not be there
	text    string            // of the error; "" when the answer is another handler's
}

var (
	upgradeHeaders = map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
	challenge      = map[string]string{"WWW-Authenticate": "Bearer", "Upgrade": ""}
	later          = map[string]string{"Retry-After": "5"}
)

// gates serves one path for each setting that the table needs.
func gates(t *testing.T, log *record) (addr string) {
	t.Helper()
	app := newApp(fiber.Config{ReadTimeout: 5 * time.Second, ReadBufferSize: 32 << 10})
	var hubs []*hub.Hub
	mount := func(path string, cfg wsx.Config, limits hub.Config) {
		cfg.Hub, cfg.Logger = echoHub(limits), log.logger()
		hubs = append(hubs, cfg.Hub)
		app.Use(path, wsx.New(cfg))
	}
	bearer := jwt.HMAC(key)
	mount("/open", wsx.Config{}, hub.Config{})
	mount("/strict", wsx.Config{RequireUpgrade: true}, hub.Config{})
	mount("/browsers", wsx.Config{RequireOrigin: true}, hub.Config{})
	mount("/full", wsx.Config{Auth: bearer}, hub.Config{MaxConns: 1})
	mount("/draining", wsx.Config{Auth: bearer}, hub.Config{})
	mount("/address", wsx.Config{MaxConnsPerIP: 1}, hub.Config{})
	mount("/token", wsx.Config{Auth: bearer}, hub.Config{})
	mount("/basic", wsx.Config{Auth: bearer, AuthScheme: "Token"}, hub.Config{})
	mount("/subject", wsx.Config{Auth: bearer, MaxConnsPerSubject: 1}, hub.Config{})
	mount("/members", wsx.Config{Auth: bearer, Authorize: func(_ *fiber.Ctx, id auth.Identity) error {
		if id.Subject == "ann" {
			return nil
		}
		return errors.New("internal detail of the refusal")
	}}, hub.Config{})
	app.Use(func(c *fiber.Ctx) error { return c.Status(fiber.StatusTeapot).SendString("the next handler") })
	addr = serve(t, app, hubs...)
	if err := hubs[4].Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	ann := "+Authorization: Bearer " + tokenFor(t, "ann")
	for _, path := range []string{"/full", "/address", "/subject"} {
		if resp, _ := wsxtest.Exchange(t, addr, handshake(path, ann)); resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("the first connection of %s: %s", path, resp.Status)
		}
	}
	return addr
}

func TestHandshakeTable(t *testing.T) {
	log := new(record)
	addr := gates(t, log)
	for _, row := range answersToNoHandshake() {
		t.Run(row.name, func(t *testing.T) { row.check(t, addr) })
	}
	ann, bob := tokenFor(t, "ann"), tokenFor(t, "bob")
	for _, row := range answersToRefused(ann, bob) {
		t.Run(row.name, func(t *testing.T) { row.check(t, addr) })
	}
	for _, secret := range []string{ann, bob, ann[len(ann)-30:], "unsigned", strings.Repeat("a", 300)} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %.40q", secret)
		}
	}
	for _, setting := range []string{"Config.Origins", "Config.Authorize", "Config.MaxConnsPerIP", "Config.MaxConnsPerSubject"} {
		if !strings.Contains(log.String(), setting) {
			t.Errorf("the log does not name %s", setting)
		}
	}
}

func answersToNoHandshake() []answer {
	return []answer{
		{"no upgrade at all", "GET /open HTTP/1.1\r\nHost: example.com\r\n\r\n", 418, nil, ""},
		{"only Upgrade", handshake("/open", "-Connection"), 418, nil, ""},
		{"only Connection", handshake("/open", "-Upgrade"), 418, nil, ""},
		{"Connection names something else", handshake("/open", "Connection: keep-alive"), 418, nil, ""},
		{"upgrade to something else", handshake("/open", "Upgrade: h2c"), 418, nil, ""},
		{"upgrade to nearly the same", handshake("/open", "Upgrade: websocket2"), 418, nil, ""},
		{"upgrade with a version of its own", handshake("/open", "Upgrade: WebSocket/13"), 418, nil, ""},
		{"upgrade with a Kelvin sign", handshake("/open", "Upgrade: websoc\u212aet"), 418, nil, ""},
		{"upgrade with a long s", handshake("/open", "Upgrade: web\u017focket"), 418, nil, ""},
		{"upgrade in quotes", handshake("/open", `Upgrade: "websocket"`), 418, nil, ""},
		{"Connection in quotes", handshake("/open", `Connection: "Upgrade"`), 418, nil, ""},
		{"Connection with a parameter", handshake("/open", "Connection: Upgrade;q=1"), 418, nil, ""},
		{"no upgrade in another method", "POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 418, nil, ""},
		{"no upgrade where one is required", handshake("/strict", "-Upgrade"), 426, upgradeHeaders, "upgrade required"},
		{"POST", handshake("POST /open HTTP/1.1", "+Content-Length: 0"), 405, map[string]string{"Allow": "GET"}, "method not allowed"},
		{"HEAD", handshake("HEAD /open HTTP/1.1"), 405, map[string]string{"Allow": "GET"}, ""},
		{"PUT", handshake("PUT /strict HTTP/1.1", "+Content-Length: 0"), 405, map[string]string{"Allow": "GET"}, "method not allowed"},
		{"HTTP/1.0", handshake("GET /open HTTP/1.0"), 400, nil, "HTTP/1.1 required"},
		{"HTTP/2.0 in words", handshake("GET /open HTTP/2.0"), 400, nil, "HTTP/1.1 required"},
		{"no Host", handshake("/open", "-Host"), 400, nil, "exactly one Host required"},
		{"empty Host", handshake("/open", "Host:"), 400, nil, "exactly one Host required"},
		{"two Hosts", handshake("/open", "+Host: example.com"), 400, nil, "exactly one Host required"},
		{"two Hosts, other case", handshake("/open", "+hOST: evil.example"), 400, nil, "exactly one Host required"},
		{"user in the Host", handshake("/open", "Host: user@example.com"), 400, nil, "exactly one Host required"},
		{"no version", handshake("/open", "-Sec-WebSocket-Version"), 426, upgradeHeaders, "WebSocket version 13 required"},
		{"version 8", handshake("/open", "Sec-WebSocket-Version: 8"), 426, upgradeHeaders, "WebSocket version 13 required"},
		{"a list of versions", handshake("/open", "Sec-WebSocket-Version: 13, 8"), 426, upgradeHeaders, "WebSocket version 13 required"},
		{"a list of one version", handshake("/open", "Sec-WebSocket-Version: 13,"), 426, upgradeHeaders, "WebSocket version 13 required"},
		{"two versions", handshake("/open", "+Sec-WebSocket-Version: 13"), 426, upgradeHeaders, "WebSocket version 13 required"},
		{"two versions, in another case", handshake("/open", "+SEC-WEBSOCKET-VERSION: 8"), 426, upgradeHeaders, "WebSocket version 13 required"},
		{"empty version", handshake("/open", "Sec-WebSocket-Version:"), 426, upgradeHeaders, "WebSocket version 13 required"},
		{"versions with the good one last", handshake("/open", "Sec-WebSocket-Version: 8, 13"), 426, upgradeHeaders, "WebSocket version 13 required"},
		{"version 13 as text", handshake("/open", `Sec-WebSocket-Version: "13"`), 426, upgradeHeaders, "WebSocket version 13 required"},
		{"version +13", handshake("/open", "Sec-WebSocket-Version: +13"), 426, upgradeHeaders, "WebSocket version 13 required"},
		{"version 13.0", handshake("/open", "Sec-WebSocket-Version: 13.0"), 426, upgradeHeaders, "WebSocket version 13 required"},
		{"version 0xd", handshake("/open", "Sec-WebSocket-Version: 0xd"), 426, upgradeHeaders, "WebSocket version 13 required"},
		{"version 269", handshake("/open", "Sec-WebSocket-Version: 269"), 426, upgradeHeaders, "WebSocket version 13 required"},
		{"version 013", handshake("/open", "Sec-WebSocket-Version: 013"), 426, upgradeHeaders, "WebSocket version 13 required"},
		{"no key", handshake("/open", "-Sec-WebSocket-Key"), 400, nil, "invalid Sec-WebSocket-Key"},
		{"empty key", handshake("/open", "Sec-WebSocket-Key:"), 400, nil, "invalid Sec-WebSocket-Key"},
		{"short key", handshake("/open", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub24="), 400, nil, "invalid Sec-WebSocket-Key"},
		{"long key", handshake("/open", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZXM="), 400, nil, "invalid Sec-WebSocket-Key"},
		{"key without padding", handshake("/open", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"), 400, nil, "invalid Sec-WebSocket-Key"},
		{"key of the other alphabet", handshake("/open", "Sec-WebSocket-Key: ____IHNhbXBsZSBub25jZQ=="), 400, nil, "invalid Sec-WebSocket-Key"},
		{"key with something behind", handshake("/open", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, x"), 400, nil, "invalid Sec-WebSocket-Key"},
		{"key with too much padding", handshake("/open", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j===="), 400, nil, "invalid Sec-WebSocket-Key"},
		{"key with a space in it", handshake("/open", "Sec-WebSocket-Key: dGhlIHNhbXBs ZSBub25jZQ="), 400, nil, "invalid Sec-WebSocket-Key"},
		{"key that is not ASCII", handshake("/open", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ\xff=="), 400, nil, "invalid Sec-WebSocket-Key"},
		{"key in a list", handshake("/open", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==,"), 400, nil, "invalid Sec-WebSocket-Key"},
		{"two keys, one of them empty", handshake("/open", "+sec-websocket-key:"), 400, nil, "invalid Sec-WebSocket-Key"},
		{"key with underscores in its name", handshake("/open", "-Sec-WebSocket-Key", "+Sec_WebSocket_Key: dGhlIHNhbXBsZSBub25jZQ=="), 400, nil, "invalid Sec-WebSocket-Key"},
		{"two keys, other", handshake("/open", "+SEC-WEBSOCKET-KEY: AAAAAAAAAAAAAAAAAAAAAA=="), 400, nil, "invalid Sec-WebSocket-Key"},
		{"two keys", handshake("/open", "+Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400, nil, "invalid Sec-WebSocket-Key"},
		{"empty subprotocol", handshake("/open", "+Sec-WebSocket-Protocol: a,,b"), 400, nil, "invalid Sec-WebSocket-Protocol"},
		{"no subprotocol", handshake("/open", "+Sec-WebSocket-Protocol:"), 400, nil, "invalid Sec-WebSocket-Protocol"},
		{"subprotocol twice", handshake("/open", "+Sec-WebSocket-Protocol: wsx.v1, a, wsx.v1"), 400, nil, "invalid Sec-WebSocket-Protocol"},
		{"subprotocol twice, in two lines", handshake("/open", "+Sec-WebSocket-Protocol: a, wsx.v1", "+Sec-WebSocket-Protocol: wsx.v1"), 400, nil, "invalid Sec-WebSocket-Protocol"},
		{"token twice as a subprotocol", handshake("/open", "+Sec-WebSocket-Protocol: wsx.bearer.x, wsx.v1, wsx.bearer.x"), 400, nil, "invalid Sec-WebSocket-Protocol"},
		{"subprotocol that is not ASCII", handshake("/open", "+Sec-WebSocket-Protocol: ch\xc3\xa4t"), 400, nil, "invalid Sec-WebSocket-Protocol"},
		{"subprotocol in quotes", handshake("/open", `+Sec-WebSocket-Protocol: "chat"`), 400, nil, "invalid Sec-WebSocket-Protocol"},
		{"bad subprotocol", handshake("/open", "+Sec-WebSocket-Protocol: a, b c"), 400, nil, "invalid Sec-WebSocket-Protocol"},
	}
}

func answersToRefused(ann, bob string) []answer {
	bearer := func(token string) string { return "+Authorization: Bearer " + token }
	long := bearer(strings.Repeat("a", auth.MaxToken+1))
	return []answer{
		{"draining", handshake("/draining", bearer(ann)), 503, map[string]string{"Retry-After": "1"}, "shutting down"},
		{"draining comes before the origin", handshake("/draining", "+Origin: https://evil.example"), 503, nil, "shutting down"},
		{"total cap", handshake("/full", bearer(ann)), 503, later, "too many connections"},
		{"total cap before the token", handshake("/full"), 503, later, "too many connections"},
		{"other origin", handshake("/open", "+Origin: https://evil.example"), 403, nil, "origin not allowed"},
		{"origin before the token", handshake("/token", "+Origin: https://evil.example"), 403, nil, "origin not allowed"},
		{"origin before the cap of the address", handshake("/address", "+Origin: null"), 403, nil, "origin not allowed"},
		{"two origins", handshake("/open", "+Origin: http://example.com", "+Origin: http://example.com"), 403, nil, "origin not allowed"},
		{"no origin where one is required", handshake("/browsers"), 403, nil, "origin required"},
		{"cap of the address", handshake("/address"), 429, later, "too many connections"},
		{"two tokens in one place", handshake("/token", bearer(ann), bearer(bob)), 400, nil, "invalid token"},
		{"two tokens in two places", handshake("/token", bearer(ann), "+Sec-WebSocket-Protocol: wsx.v1, wsx.bearer."+bob), 400, nil, "invalid token"},
		{"token over 8 KiB", handshake("/token", long), 400, nil, "invalid token"},
		{"no token", handshake("/token"), 401, challenge, "unauthorized"},
		{"no token, another scheme's name", handshake("/basic"), 401, map[string]string{"WWW-Authenticate": "Token"}, "unauthorized"},
		{"bad token", handshake("/token", bearer("unsigned")), 401, challenge, "unauthorized"},
		{"token with another signature", handshake("/token", bearer(ann[:len(ann)-4]+"AAAA")), 401, challenge, "unauthorized"},
		{"token in a place that was not asked for", handshake("/token?token="+ann, "+Cookie: token="+ann), 401, challenge, "unauthorized"},
		{"Authorize says no", handshake("/members", bearer(bob)), 403, nil, "forbidden"},
		{"token before Authorize", handshake("/members"), 401, challenge, "unauthorized"},
		{"cap of the subject", handshake("/subject", bearer(ann)), 429, later, "too many connections"},
		{"token before the cap of the subject", handshake("/subject"), 401, challenge, "unauthorized"},
		{"the other subject", handshake("/subject", bearer(bob)), 101, map[string]string{"Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}, ""},
	}
}

func (a answer) check(t *testing.T, addr string) {
	t.Helper()
	resp, c := wsxtest.Exchange(t, addr, a.request)
	defer func() { _ = c.Conn().Close() }()
	if resp.StatusCode != a.status {
		t.Fatalf("got %s, want %d", resp.Status, a.status)
	}
	for name, want := range a.header {
		if got := strings.Join(resp.Header.Values(name), "; "); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if a.text == "" {
		return
	}
	if got := resp.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type: got %q", got)
	}
	text := body(t, resp)
	var e map[string]string
	if err := json.Unmarshal([]byte(text), &e); err != nil || len(e) != 1 || e["error"] != a.text {
		t.Errorf("got %s, want the error %q", text, a.text)
	}
}
