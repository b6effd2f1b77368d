package wsx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// counted counts the records that go to a handler.
type counted struct {
	slog.Handler
	n *atomic.Int64
}

func (c counted) Handle(ctx context.Context, r slog.Record) error {
	c.n.Add(1)
	return c.Handler.Handle(ctx, r)
}

// gossip lets a client in by its token, and repeats in its errors what the client has sent.
func gossip(log *slog.Logger) (wsx.Config, hub.Config) {
	return wsx.Config{
		Logger:         log,
		TrustedProxies: []string{"127.0.0.1"},
		TokenLookup:    "header:Authorization,cookie:token,protocol:wsx.bearer,query:token",
		Auth: auth.Func(func(ctx context.Context, token string) (auth.Identity, error) {
			id, err := byMarker(ctx, token)
			if err != nil {
				err = errors.New("level=ERROR\nlevel=ERROR \x1b[2J" + strings.Repeat("\u202e", 5000))
			}
			return id, err
		}),
		Authorize: func(c *fiber.Ctx, _ auth.Identity) error {
			if room := c.Query("room"); room != "" {
				return fmt.Errorf("not in the room %s of %s", room, c.Get("User-Agent"))
			}
			return nil
		},
	}, hub.Config{Logger: log}
}

// wicked are what a client would like to be in a log.
var wicked = map[string]string{
	"a quote":     `x" level=ERROR msg="y`,
	"an escape":   "\x1b[2J\x1b]0;x\x07",
	"a line":      "x\nlevel=ERROR msg=y:",
	"CR and LF":   "x\r\n{\"level\":\"ERROR\"}",
	"NUL":         "x\x00y",
	"C1":          "x\xc2\x9b2Jy",
	"not UTF-8":   "\xff\xfe\xf0\x9f",
	"a separator": "x\u2028y\u2029z\u0085",
	"right first": "\u202etxt.exe",
	"10 KB":       strings.Repeat("\u202e0", 2500),
}

// wickedRequests puts v wherever a client can put it.
func wickedRequests(v string) []string {
	raw := strings.NewReplacer("\r", "%0D", "\n", "%0A", "\x00", "%00", "\x1b", "%1b", "\x07", "%07", " ", "%20").Replace(v)
	good := "+Authorization: Bearer " + goodToken
	return []string{
		handshake("/ws", "+Origin: "+v, good),
		handshake("/ws", "+Origin: https://"+v+".example", good),
		handshake("/ws", "Host: "+v, good),
		handshake("/ws", "Host: "+v, "+Origin: http://evil.example", good),
		handshake("/ws", "+Authorization: Bearer "+badToken+v),
		handshake("/ws", "+Authorization: Bearer "+badToken),
		handshake("/ws", "+Cookie: token="+badToken+v),
		handshake("/ws?token=" + badToken + raw),
		handshake("/ws", "+Sec-WebSocket-Protocol: wsx.bearer."+badToken+v),
		handshake("/ws", "+Sec-WebSocket-Protocol: "+v, good),
		handshake("/ws", "+Sec-WebSocket-Extensions: "+v, good),
		handshake("/ws/"+raw, "+Origin: http://evil.example", good),
		handshake("/ws/"+raw, good),
		handshake("/ws?room="+raw, "+User-Agent: "+v, good),
		handshake("/ws", "+X-Forwarded-For: "+v, good),
		handshake("/ws", "+X-Forwarded-For: "+v, "+Origin: http://evil.example", good),
		handshake("/ws", "Sec-WebSocket-Key: "+v, good),
		handshake("/ws", "Sec-WebSocket-Version: "+v, good),
		handshake("/ws", "+"+v+": x", good),
	}
}

// TestNothingBreaksOutOfTheLog sends what would be a line of its own, or move the cursor, or flood, and reads the log
// as text and as JSON: one line a record, nothing in it that is not printable, no value that is long, and no token.
func TestNothingBreaksOutOfTheLog(t *testing.T) {
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler {
			return slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
		},
		"JSON": func(w io.Writer) slog.Handler {
			return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := &leakTest{T: t}
			var records atomic.Int64
			cfg, limits := gossip(slog.New(counted{handler(io.MultiWriter(logged, &l.log)), &records}))
			h := echoHub(limits)
			cfg.Hub = h
			app := newApp(fiber.Config{ReadTimeout: 5 * time.Second, ReadBufferSize: 64 << 10})
			app.Use("/ws", wsx.New(cfg))
			addr := serve(t, app, h)
			refused := 0
			for _, v := range wicked {
				for _, request := range wickedRequests(v) {
					resp, c := wsxtest.Exchange(t, addr, request)
					if resp.StatusCode != http.StatusSwitchingProtocols {
						refused++
					}
					_ = c.Conn().Close()
					eventually(t, "it is over", func() bool { return h.Len() == 0 })
				}
			}
			if err := h.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d requests, %d refused, %d records in the log", len(wicked)*len(wickedRequests("")), refused, records.Load())
			l.check(h)
			checkLines(t, name, l.log.String(), int(records.Load()))
		})
	}
}

func checkLines(t *testing.T, format, text string, records int) {
	t.Helper()
	const most = 2000 // two values of 256 bytes, in the longest form that they are quoted in, and what stands around them
	lines := 0
	for line := range strings.Lines(text) {
		lines++
		line = strings.TrimSuffix(line, "\n")
		if bytes.ContainsFunc([]byte(line), func(r rune) bool { return r < ' ' || r > '~' && r != 'µ' }) {
			t.Errorf("not printable: %.300q", line)
		}
		if format == "JSON" && !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %.300q", line)
		}
		if format == "text" && !strings.HasPrefix(line, "time=") || len(line) > most || strings.Count(line, "0") > 400 {
			t.Errorf("%d bytes: %.300q", len(line), line)
		}
	}
	if lines != records || records < 100 {
		t.Errorf("%d lines of %d records", lines, records)
	}
}
