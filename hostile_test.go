package wsx_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/wsxtest"
)

// hostileOrigins come close to what is allowed: the host example.com, https://*.example.org, http://localhost:5173.
var hostileOrigins = []string{
	"https://evil.example", "http://evil.example", "https://evil-example.com", "https://example.com.evil.example",
	"https://evilexample.com", "https://www.example.com", "https://example.co", "https://example.org",
	"https://evil-example.org", "https://evilexample.org", "https://www.example.org.evil.example",
	"http://www.example.org", "https://www.example.org:8443", "https://example.com:8443", "http://example.com:8080",
	"http://example.com:443", "https://example.com:80", "http://localhost", "http://localhost:3000",
	"https://localhost:5173", "ws://localhost:5173", "file://", "null", "NULL", "*", "undefined", "", " ", "example.com",
	"//example.com", "https://example.com/", "https://example.com/path", "https://example.com?x", "https://example.com#x",
	"https://evil.example/https://example.com", "https://evil.example#.example.org", "https://evil.example?.example.org",
	"https://evil.example\\.example.org", "https://user@example.com", "https://example.com@evil.example",
	"https://evil.example:443@example.com", "https://example.com, https://evil.example",
	"https://evil.example https://example.com", "https://example.com\x00", "https://evil.example\x00.example.org",
	"https://example.com\r", "https://evil.example\r.example.org", "https://example%2ecom", "https://evil%00.example.org",
	"https://ex\xc3\xa4mple.com", "https://example\xe3\x80\x82com", "https://\xef\xbd\x85xample.com", "https://example\xff.com",
	"https://example.com.", "https://.example.org", "https://a..example.org", "https://*.example.org",
	"https://example.com:", "https://example.com:0443", "https://example.com:443x", "https://example.com:65979",
	"http://[::1]", "http://[example.com]", "https://" + strings.Repeat("a", 64) + ".example.org",
	"https://" + strings.Repeat("a.", 130) + "example.org",
}

func TestHostileOrigins(t *testing.T) {
	log := new(record)
	addr, h := serveEcho(t, wsx.Config{
		Origins: []string{"https://*.example.org", "http://localhost:5173"}, Logger: log.logger(),
	})
	for _, o := range []string{"https://example.com", "https://www.example.org", "http://localhost:5173"} {
		if got := status(t, addr, handshake("/ws", "+Origin: "+o)); got != http.StatusSwitchingProtocols {
			t.Errorf("%q: got %d", o, got)
		}
	}
	const good = 3
	eventually(t, "the good ones are over", func() bool { return h.Stats().Closed == good })
	refused := 0
	for _, o := range hostileOrigins {
		switch got := status(t, addr, handshake("/ws", "+Origin: "+o)); got {
		case http.StatusForbidden, http.StatusBadRequest:
			refused++
		default:
			t.Errorf("%q: got %d", o, got)
		}
	}
	t.Logf("%d hostile origins refused", refused)
	if refused != len(hostileOrigins) || refused < 60 {
		t.Errorf("%d refused of %d", refused, len(hostileOrigins))
	}
	if n := h.Stats().Opened; n != good {
		t.Errorf("%d connections opened", n-good)
	}
	for line := range strings.Lines(log.String()) {
		if len(line) > 1200 || strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x00\r\n\xff") {
			t.Errorf("a line of the log is not fit to be read: %.200q", line)
		}
	}
}

// forge builds a token of any header and claims, signed with a key.
func forge(header, claims string, h func() hash.Hash, key []byte) string {
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(claims))
	if h == nil {
		return signed + "."
	}
	mac := hmac.New(h, key)
	mac.Write([]byte(signed))
	return logged.watchToken(signed + "." + enc.EncodeToString(mac.Sum(nil)))
}

// claims returns the claims of a good token with some changes; a nil value takes a claim away.
func claims(changes map[string]any) string {
	m := map[string]any{"sub": "ann", "exp": time.Now().Add(time.Hour).Unix()}
	for name, v := range changes {
		if m[name] = v; v == nil {
			delete(m, name)
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func hostileTokens(t *testing.T) map[string]string {
	const hs256 = `{"alg":"HS256","typ":"JWT"}`
	ann := tokenFor(t, "ann")
	part := strings.Split(ann, ".")
	now := time.Now()
	tokens := map[string]string{
		"no dots": "hello", "two parts": part[0] + "." + part[1], "no signature": part[0] + "." + part[1] + ".",
		"five parts": ann + ".x.y", "only dots": "..", "empty header": "." + part[1] + "." + part[2],
		"empty claims": part[0] + ".." + part[2], "padded": ann + "=", "other alphabet": strings.ReplaceAll(ann, ".", "/"),
		"quoted": `"` + ann + `"`, "with a comma": ann + ",", "twice": ann + "." + ann,
		"swapped parts":        part[1] + "." + part[0] + "." + part[2],
		"another's claims":     part[0] + "." + strings.Split(tokenFor(t, "root"), ".")[1] + "." + part[2],
		"cut signature":        ann[:len(ann)-1],
		"longer signature":     ann + "A",
		"flipped signature":    ann[:len(ann)-10] + "0000000000",
		"header is no JSON":    forge("alg", claims(nil), sha256.New, key),
		"header is a list":     forge(`["HS256"]`, claims(nil), sha256.New, key),
		"claims are no JSON":   forge(hs256, "sub=ann", sha256.New, key),
		"claims are a list":    forge(hs256, `["ann"]`, sha256.New, key),
		"claims are null":      forge(hs256, "null", sha256.New, key),
		"more behind them":     forge(hs256, claims(nil)+"{}", sha256.New, key),
		"sub is a number":      forge(hs256, claims(map[string]any{"sub": 1}), sha256.New, key),
		"sub is a list":        forge(hs256, claims(map[string]any{"sub": []string{"ann"}}), sha256.New, key),
		"exp is text":          forge(hs256, claims(map[string]any{"exp": "4102444800"}), sha256.New, key),
		"exp is huge":          forge(hs256, `{"sub":"ann","exp":1e400}`, sha256.New, key),
		"exp is true":          forge(hs256, claims(map[string]any{"exp": true}), sha256.New, key),
		"exp is negative":      forge(hs256, claims(map[string]any{"exp": -1}), sha256.New, key),
		"exp is 0":             forge(hs256, claims(map[string]any{"exp": 0}), sha256.New, key),
		"exp is null":          forge(hs256, `{"sub":"ann","exp":null}`, sha256.New, key),
		"no exp":               forge(hs256, claims(map[string]any{"exp": nil}), sha256.New, key),
		"expired":              forge(hs256, claims(map[string]any{"exp": now.Add(-time.Hour).Unix()}), sha256.New, key),
		"not yet valid":        forge(hs256, claims(map[string]any{"nbf": now.Add(time.Hour).Unix()}), sha256.New, key),
		"issued in the future": forge(hs256, claims(map[string]any{"iat": now.Add(time.Hour).Unix()}), sha256.New, key),
		"unknown crit":         forge(`{"alg":"HS256","crit":["exp2"],"exp2":1}`, claims(nil), sha256.New, key),
		"HS512":                forge(`{"alg":"HS512","typ":"JWT"}`, claims(nil), sha512.New, key),
		"RS256 in words":       forge(`{"alg":"RS256","typ":"JWT"}`, claims(nil), sha256.New, key),
		"hs256 in small":       forge(`{"alg":"hs256","typ":"JWT"}`, claims(nil), sha256.New, key),
		"no alg":               forge(`{"typ":"JWT"}`, claims(nil), sha256.New, key),
		"alg is a number":      forge(`{"alg":256}`, claims(nil), sha256.New, key),
		"two algs":             forge(`{"alg":"none","alg":"HS256x"}`, claims(nil), sha256.New, key),
	}
	for _, none := range []string{"none", "None", "NONE", "nOnE", "", " none", "none "} {
		tokens["alg "+none] = forge(`{"alg":"`+none+`","typ":"JWT"}`, claims(nil), nil, nil)
		tokens["signed alg "+none] = forge(`{"alg":"`+none+`","typ":"JWT"}`, claims(nil), sha256.New, key)
	}
	for name, k := range map[string][]byte{
		"the empty key": nil, "another key": []byte(strings.Repeat("x", 32)), "half the key": key[:16],
		"a longer key": append(slices.Clip(key), 'x'), "the key in base64": []byte(base64.StdEncoding.EncodeToString(key)),
		"secret": []byte("secret"), "zeros": make([]byte, 32),
	} {
		tokens["by "+name] = forge(hs256, claims(nil), sha256.New, k)
	}
	return tokens
}

func TestHostileTokens(t *testing.T) {
	log := new(record)
	addr, h := serveEcho(t, wsx.Config{Auth: jwt.HMAC(key), Logger: log.logger()})
	good := forge(`{"alg":"HS256","typ":"JWT"}`, claims(nil), sha256.New, key)
	if got := status(t, addr, handshake("/ws", "+Authorization: Bearer "+good)); got != http.StatusSwitchingProtocols {
		t.Fatalf("the forger's good token: got %d", got)
	}
	eventually(t, "the good one is over", func() bool { return h.Stats().Closed == 1 })
	tokens := hostileTokens(t)
	refused := 0
	var answers []string
	for name, token := range tokens {
		for _, field := range []string{"+Authorization: Bearer " + token, "+Sec-WebSocket-Protocol: wsx.v1, wsx.bearer." + token} {
			resp, c := wsxtest.Exchange(t, addr, handshake("/ws", field))
			switch resp.StatusCode {
			case http.StatusUnauthorized:
				answers = append(answers, fmt.Sprint(body(t, resp), resp.Header.Values("WWW-Authenticate")))
				refused++
			case http.StatusBadRequest:
				refused++ // what cannot stand there at all
			default:
				t.Errorf("%s: got %s", name, resp.Status)
			}
			_ = c.Conn().Close()
		}
		if len(token) > 20 && strings.Contains(log.String(), token) {
			t.Errorf("%s: the log holds the token", name)
		}
	}
	t.Logf("%d hostile tokens refused, in %d requests", len(tokens), refused)
	if want := 2 * len(tokens); refused != want || len(tokens) < 60 {
		t.Errorf("%d refused of %d, of %d tokens", refused, want, len(tokens))
	}
	if distinct := slices.Compact(answers); len(distinct) != 1 {
		t.Errorf("the answers differ: %q", distinct)
	}
	if n := h.Stats().Opened; n != 1 {
		t.Errorf("%d connections opened", n-1)
	}
}
