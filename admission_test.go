package wsx_test

import (
	"errors"
	"math"
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

func TestSubprotocols(t *testing.T) {
	token := tokenFor(t, "ann")
	addr, _ := serveEcho(t, wsx.Config{Subprotocols: []string{"chat.v2", "chat.v1"}}, hub.Config{
		OnOpen: func(c *hub.Conn) error { return c.SendText("speaking " + c.Subprotocol()) },
	})
	for _, tt := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"none offered", nil, ""},
		{"none known", []string{"+Sec-WebSocket-Protocol: graphql-ws, mqtt"}, ""},
		{"the server's order", []string{"+Sec-WebSocket-Protocol: chat.v1, chat.v2"}, "chat.v2"},
		{"the server's own before wsx's", []string{"+Sec-WebSocket-Protocol: wsx.v1, chat.v1"}, "chat.v1"},
		{"wsx's is always known", []string{"+Sec-WebSocket-Protocol: wsx.v1"}, "wsx.v1"},
		{"in several lines", []string{"+Sec-WebSocket-Protocol: mqtt", "+Sec-WebSocket-Protocol: x,chat.v1"}, "chat.v1"},
		{"another case is another one", []string{"+Sec-WebSocket-Protocol: CHAT.V1"}, ""},
		{"a token is no protocol", []string{"+Sec-WebSocket-Protocol: wsx.bearer." + token}, ""},
		{"a token beside one", []string{"+Sec-WebSocket-Protocol: wsx.bearer." + token + ", wsx.v1"}, "wsx.v1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, c := wsxtest.Exchange(t, addr, handshake("/ws", tt.fields...))
			if got := strings.Join(resp.Header.Values("Sec-WebSocket-Protocol"), "; "); got != tt.want {
				t.Errorf("answered %q, want %q", got, tt.want)
			}
			if got := c.ReadText(); got != "speaking "+tt.want {
				t.Errorf("got %q", got)
			}
			c.Close()
		})
	}
}

// TestTokenSources sends a good token to each source, and every source's token to a server that looks elsewhere.
func TestTokenSources(t *testing.T) {
	ann := tokenFor(t, "ann")
	places := map[string]struct{ path, field string }{
		"header:Authorization":  {"/ws", "+aUTHORIZATION: bEARER  " + ann},
		"header:X-Device-Token": {"/ws", "+X-Device-Token: " + ann},
		"cookie:session":        {"/ws", "+Cookie: a=b; session=" + ann + "; c=d"},
		"protocol:wsx.bearer":   {"/ws", "+Sec-WebSocket-Protocol: wsx.v1, wsx.bearer." + ann},
		"query:token":           {"/ws?a=b&token=" + ann, ""},
		"param:token":           {"/ws/" + ann, ""},
	}
	for lookup := range places {
		h := echoHub(hub.Config{OnOpen: func(c *hub.Conn) error { return c.SendText(c.Subject()) }})
		app := newApp()
		app.Use("/ws/:token?", wsx.New(wsx.Config{Hub: h, Auth: jwt.HMAC(key), TokenLookup: lookup, Logger: quiet}))
		addr := serve(t, app, h)
		for place, p := range places {
			fields := []string{"+X-Nothing:"}
			if p.field != "" {
				fields = append(fields, p.field)
			}
			resp, c := wsxtest.Exchange(t, addr, handshake(p.path, fields...))
			want := http.StatusUnauthorized
			if place == lookup {
				want = http.StatusSwitchingProtocols
			}
			if resp.StatusCode != want {
				t.Errorf("a token in %s, looked for in %s: got %s", place, lookup, resp.Status)
			}
			if resp.StatusCode == http.StatusSwitchingProtocols {
				if got := c.ReadText(); got != "ann" {
					t.Errorf("%s: the subject is %q", lookup, got)
				}
			}
			if strings.Contains(strings.Join(resp.Header.Values("Sec-WebSocket-Protocol"), ""), ann) {
				t.Errorf("%s: the token came back", lookup)
			}
			_ = c.Conn().Close()
		}
	}
}

func TestTokensThatContradict(t *testing.T) {
	ann, bob := tokenFor(t, "ann"), tokenFor(t, "bob")
	h := echoHub()
	app := newApp(fiber.Config{ReadTimeout: 5 * time.Second, ReadBufferSize: 64 << 10})
	app.Use("/ws", wsx.New(wsx.Config{
		Hub: h, Auth: jwt.HMAC(key), Logger: quiet,
		TokenLookup: "query:token,cookie:session,protocol:wsx.bearer,header:Authorization",
	}))
	addr := serve(t, app, h)
	for name, tt := range map[string]struct {
		request string
		want    int
	}{
		"the same in two places": {handshake("/ws?token="+ann, "+Authorization: Bearer "+ann), 101},
		"the same twice":         {handshake("/ws?token=" + ann + "&token=" + ann), 101},
		"two headers":            {handshake("/ws", "+Authorization: Bearer "+ann, "+Authorization: Bearer "+bob), 400},
		"two cookies":            {handshake("/ws", "+Cookie: session="+ann+"; session="+bob), 400},
		"two cookie headers":     {handshake("/ws", "+Cookie: session="+ann, "+Cookie: session="+bob), 400},
		"two parameters":         {handshake("/ws?token=" + ann + "&token=" + bob), 400},
		"two protocols":          {handshake("/ws", "+Sec-WebSocket-Protocol: wsx.bearer."+ann+", wsx.bearer."+bob), 400},
		"two places":             {handshake("/ws?token="+bob, "+Cookie: session="+ann), 400},
		"good and nonsense":      {handshake("/ws?token=x", "+Cookie: session="+ann), 400},
		"a space inside":         {handshake("/ws?token=" + ann + "%20x"), 400},
		"a line feed inside":     {handshake("/ws?token=" + ann + "%0a"), 400},
		"8 KiB":                  {handshake("/ws", "+Authorization: Bearer "+strings.Repeat("a", auth.MaxToken)), 401},
		"over 8 KiB":             {handshake("/ws", "+Authorization: Bearer "+strings.Repeat("a", auth.MaxToken+1)), 400},
		"over 8 KiB in a cookie": {handshake("/ws", "+Cookie: session="+strings.Repeat("a", auth.MaxToken+1)), 400},
		"over the read buffer":   {handshake("/ws", "+Cookie: session="+strings.Repeat("a", 65<<10)), 431},
	} {
		if got := status(t, addr, tt.request); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
}

func TestOriginFunc(t *testing.T) {
	addr, _ := serveEcho(t, wsx.Config{
		Origins: []string{"https://*.example.org"},
		OriginFunc: func(o string) bool {
			return o == "https://tenant.example" // gets it as it was sent
		},
	})
	for origin, want := range map[string]int{
		"https://tenant.example":   101,
		"https://a.b.example.org":  101,
		"http://example.com":       101, // the Host's own
		"https://example.com:443":  101, // likewise: default ports fold by the origin's scheme
		"https://TENANT.example":   403,
		"https://tenant.example.":  403,
		"https://evil.example":     403,
		"https://example.org.evil": 403,
	} {
		if got := status(t, addr, handshake("/ws", "+Origin: "+origin)); got != want {
			t.Errorf("%s: got %d, want %d", origin, got, want)
		}
	}
}

func TestErrorHandlerAnswers(t *testing.T) {
	addr, _ := serveEcho(t, wsx.Config{
		Auth: jwt.HMAC(key),
		ErrorHandler: func(c *fiber.Ctx, err error) error {
			var e *fiber.Error
			if !errors.As(err, &e) {
				return err
			}
			return c.Status(e.Code).SendString("own page: " + e.Message)
		},
	})
	resp, _ := wsxtest.Exchange(t, addr, handshake("/ws"))
	if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("got %s with %q", resp.Status, resp.Header)
	}
	if got := body(t, resp); got != "own page: unauthorized" {
		t.Errorf("got %q", got)
	}
}

func TestNextSkips(t *testing.T) {
	h := echoHub()
	app := newApp()
	app.Use("/ws", wsx.New(wsx.Config{
		Hub: h, Logger: quiet, RequireUpgrade: true,
		Next: func(c *fiber.Ctx) bool { return c.Query("skip") != "" },
	}))
	app.Use(func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusTeapot) })
	addr := serve(t, app, h)
	for path, want := range map[string]int{"/ws": http.StatusSwitchingProtocols, "/ws?skip=1": http.StatusTeapot} {
		if got := status(t, addr, handshake(path)); got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
}

func TestNewPanics(t *testing.T) {
	h := echoHub()
	for want, build := range map[string]func(){
		"New needs a hub":          func() { wsx.New() },
		"needs a hub: wsx.New":     func() { wsx.New(wsx.Config{Auth: jwt.HMAC(key)}) },
		"has no handler":           func() { wsx.New(wsx.Config{Hub: hub.New(hub.Config{})}) },
		"Config.Origins":           func() { wsx.New(wsx.Config{Hub: h, Origins: []string{"example.com"}}) },
		"Config.TokenLookup":       func() { wsx.New(wsx.Config{Hub: h, TokenLookup: "body:token"}) },
		"Config.TrustedProxies":    func() { wsx.New(wsx.Config{Hub: h, TrustedProxies: []string{"10.0.0.0/99"}}) },
		"Config.Subprotocols":      func() { wsx.New(wsx.Config{Hub: h, Subprotocols: []string{"a b"}}) },
		"Config.VersionLookup":     func() { wsx.New(wsx.Config{Hub: h, VersionLookup: "query:v", Versions: []string{"v1"}}) },
		"must be \"protocol\" or":  func() { wsx.New(wsx.Config{Hub: h, VersionLookup: "param:", Versions: []string{"v1"}}) },
		"needs Config.Versions":    func() { wsx.New(wsx.Config{Hub: h, VersionLookup: "param:v"}) },
		"HandshakeRate is NaN":     func() { wsx.New(wsx.Config{Hub: h, HandshakeRate: math.NaN()}) },
		"HandshakeRate is +Inf":    func() { wsx.New(wsx.Config{Hub: h, HandshakeRate: math.Inf(1)}) },
		"Config.AuthScheme":        func() { wsx.New(wsx.Config{Hub: h, Auth: jwt.HMAC(key), AuthScheme: "Bearer\r\nX: y"}) },
		"a nil *auth.Tickets":      func() { wsx.New(wsx.Config{Hub: h, Auth: (*auth.Tickets)(nil)}) },
		"a nil auth.Func":          func() { wsx.New(wsx.Config{Hub: h, Auth: auth.Func(nil)}) },
		"MaxConnsPerSubject needs": func() { wsx.New(wsx.Config{Hub: h, MaxConnsPerSubject: 1}) },
		"taken for a token":        func() { wsx.New(wsx.Config{Hub: h, Subprotocols: []string{"wsx.bearer.v1"}}) },
		"Config.Versions: \"a b\"": func() { wsx.New(wsx.Config{Hub: h, Versions: []string{"v1", "a b"}}) },
		"Versions works with":      func() { wsx.Contrib(contribEcho, wsx.Config{Versions: []string{"v1"}}) },
		"Contrib needs a handler":  func() { wsx.Contrib(nil) },
		"may rest on a cookie": func() {
			wsx.New(wsx.Config{Hub: h, Origins: []string{"*"}, Identify: func(*fiber.Ctx) (id auth.Identity, err error) { return id, nil }})
		},
		"FirstMessage need": func() { wsx.New(wsx.Config{Hub: h, Refresh: true}) },
		"goes with neither": func() {
			wsx.New(wsx.Config{Hub: h, Auth: jwt.HMAC(key), FirstMessage: true, Authorize: func(*fiber.Ctx, auth.Identity) error { return nil }})
		},
		"work with wsx.New": func() { wsx.Contrib(contribEcho, wsx.Config{Auth: jwt.HMAC(key), Refresh: true}) },
		"or take the cookie out": func() {
			wsx.New(wsx.Config{Hub: h, Auth: jwt.HMAC(key), Origins: []string{"*"}, TokenLookup: "cookie:s"})
		},
		"any site could then open": func() {
			wsx.New(wsx.Config{Hub: h, Auth: jwt.HMAC(key), Origins: []string{"https://a.example", "*"}, TokenLookup: "header:Authorization,cookie:s"})
		},
		"Config.Origins has \"*\" ": func() {
			wsx.Contrib(contribEcho, wsx.Config{Auth: jwt.HMAC(key), Origins: []string{"*"}, TokenLookup: "cookie:s"})
		},
	} {
		t.Run(want, func(t *testing.T) {
			defer func() {
				if p, _ := recover().(string); !strings.HasPrefix(p, "wsx: ") || !strings.Contains(p, want) {
					t.Errorf("panicked with %q, want %q", p, want)
				}
			}()
			build()
		})
	}
}
