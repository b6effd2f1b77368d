package wsx_test

import (
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestVersions: who speaks a version of the server's is served; who does not learns it from a close code.
func TestVersions(t *testing.T) {
	const refused = "refused"
	for name, row := range map[string]struct {
		cfg    wsx.Config
		path   string
		offers []string
		answer string // the subprotocol
		told   string // the first message, or refused
	}{
		"the server's favourite":     {wsx.Config{}, "/ws", []string{"chat.v1", "chat.v2"}, "chat.v2", "chat.v2"},
		"an older one":               {wsx.Config{}, "/ws", []string{"chat.v1", "wsx.v1"}, "chat.v1", "chat.v1"},
		"a newer one":                {wsx.Config{}, "/ws", []string{"chat.v9"}, "chat.v9", refused},
		"none":                       {wsx.Config{}, "/ws", nil, "", refused},
		"none beside wsx.v1":         {wsx.Config{}, "/ws", []string{"chat.v9", "wsx.v1"}, "wsx.v1", refused},
		"another case":               {wsx.Config{}, "/ws", []string{"Chat.v1"}, "Chat.v1", refused},
		"a token is never an answer": {wsx.Config{}, "/ws", []string{"wsx.bearer." + versionToken, "chat.v9"}, "chat.v9", refused},
		"a token alone":              {wsx.Config{}, "/ws", []string{"wsx.bearer." + versionToken}, "", refused},
		"nor is one that nobody looks for": {wsx.Config{TokenLookup: "cookie:session"},
			"/ws", []string{"wsx.bearer." + versionToken}, "", refused},
		"nor one under another name": {wsx.Config{TokenLookup: "protocol:my.token"}, "/ws", []string{"my.token." + versionToken}, "", refused},
		"before the first message": {wsx.Config{FirstMessage: true, Auth: auth.Static(map[string]string{versionToken: "ada"})},
			"/ws", []string{"chat.v9"}, "chat.v9", refused},
		"in the path":                 {wsx.Config{VersionLookup: "param:version"}, "/chat.v1/ws", nil, "", ""},
		"in the path, a newer one":    {wsx.Config{VersionLookup: "param:version"}, "/chat.v9/ws", nil, "", refused},
		"in the path, with an answer": {wsx.Config{VersionLookup: "param:version"}, "/chat.v9/ws", []string{"wsx.v1"}, "wsx.v1", refused},
	} {
		t.Run(name, func(t *testing.T) {
			heard := false
			h := hub.New(hub.Config{
				PingInterval: -1, Logger: quiet, OnMessage: func(*hub.Conn, hub.Message) error { return nil },
				OnOpen:  func(c *hub.Conn) error { return c.SendText(c.Subprotocol()) },
				OnClose: func(*hub.Conn, error) { heard = true },
			})
			row.cfg.Hub, row.cfg.Versions, row.cfg.Logger = h, []string{"chat.v2", "chat.v1"}, quiet
			app := newApp()
			app.Get("/ws", wsx.New(row.cfg))
			app.Get("/:version/ws", wsx.New(row.cfg))
			addr := serve(t, app, h)
			c, resp, err := wsxtest.TryDial(t, "ws://"+addr+row.path, wsxtest.Options{Subprotocols: row.offers})
			if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("got %v, %v, want a 101", resp, err)
			}
			if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != row.answer {
				t.Errorf("answered %q, want %q", got, row.answer)
			}
			if row.told != refused {
				if got := c.ReadText(); got != row.told {
					t.Errorf("told %q, want %q", got, row.told)
				}
				c.Close()
				return
			}
			if e := c.ReadClose(); e.Status != ws.StatusUnsupportedVersion {
				t.Errorf("closed with %v, want %v", e, ws.StatusUnsupportedVersion)
			}
			eventually(t, "the end", func() bool { return h.Stats().Closed == 1 })
			if heard {
				t.Error("OnClose heard of it")
			}
		})
	}
}

const versionToken = "ada-has-16-bytes"

// TestVersionsComeLast: who may not connect learns nothing of versions.
func TestVersionsComeLast(t *testing.T) {
	h := echoHub()
	app := newApp()
	app.Use("/ws", wsx.New(wsx.Config{
		Hub: h, Versions: []string{"v1"}, Auth: auth.Static(map[string]string{versionToken: "ada"}), Logger: quiet,
	}))
	addr := serve(t, app, h)
	if got := status(t, addr, handshake("/ws", "Sec-WebSocket-Protocol: v9")); got != fiber.StatusUnauthorized {
		t.Errorf("without a token: got %d", got)
	}
}
