package wsx_test

import (
	"log/slog"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
)

// wantWarnings checks that the log has so many warnings with this in them.
func wantWarnings(t *testing.T, log *record, with string, want int) {
	t.Helper()
	got := 0
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "level=WARN") && strings.Contains(line, with) {
			got++
		}
	}
	if got != want {
		t.Errorf("warned %d times of %q, want %d, in\n%s", got, with, want, log)
	}
}

func TestWarnsOfTheHub(t *testing.T) {
	tests := map[string]struct {
		cfg  hub.Config
		with string // "" for no warning
	}{
		"nothing":                     {cfg: hub.Config{MaxConns: 10}},
		"no cap":                      {cfg: hub.Config{MaxConns: -1}},
		"more connections than files": {cfg: hub.Config{MaxConns: math.MaxInt}, with: "lower MaxConns"},
		"a ping a minute":             {cfg: hub.Config{MaxConns: 10, PingInterval: time.Minute}},
		"a rare ping":                 {cfg: hub.Config{MaxConns: 10, PingInterval: time.Minute + 1}, with: "hub.Config.PingInterval"},
		"no ping":                     {cfg: hub.Config{MaxConns: 10, PingInterval: -1}, with: "hub.Config.PingInterval"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			log, h := new(record), echoHub(tt.cfg)
			if strings.Contains(tt.with, "MaxConns") && !limitsFiles {
				skipOrFail(t, "this system does not limit the files of a process")
			}
			for range 3 { // several handlers may share a hub
				wsx.New(wsx.Config{Hub: h, Logger: log.logger()})
			}
			if tt.with == "" {
				wantWarnings(t, log, "", 0)
				return
			}
			wantWarnings(t, log, "", 1)
			wantWarnings(t, log, tt.with, 1)
		})
	}
}

// TestContribWarns has a hub that only lends its cap: what its heartbeat would be does not matter.
func TestContribWarns(t *testing.T) {
	log := new(record)
	h := hub.New(hub.Config{MaxConns: math.MaxInt, PingInterval: time.Hour})
	wsx.Contrib(func(*websocket.Conn) {}, wsx.Config{Hub: h, Logger: log.logger()})
	wsx.Contrib(func(*websocket.Conn) {}, wsx.Config{Logger: log.logger()})
	wantWarnings(t, log, "PingInterval", 0)
	if limitsFiles {
		wantWarnings(t, log, "MaxConns", 1)
	}
}

func TestWarnsOfTheApp(t *testing.T) {
	const noTimeout, prefork = "fiber.Config.ReadTimeout", "fiber.Config.Prefork"
	tests := map[string]struct {
		cfg   fiber.Config
		child bool
		with  string
	}{
		"nothing":             {cfg: fiber.Config{ReadTimeout: time.Second}},
		"no ReadTimeout":      {with: noTimeout},
		"one of many":         {cfg: fiber.Config{ReadTimeout: time.Second, Prefork: true}, child: true, with: prefork},
		"one that did not":    {cfg: fiber.Config{ReadTimeout: time.Second, Prefork: true}},
		"started by a server": {cfg: fiber.Config{ReadTimeout: time.Second}, child: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.child {
				t.Setenv("FIBER_PREFORK_CHILD", "1")
			}
			log, h, other := new(record), echoHub(), echoHub()
			app := newApp(tt.cfg)
			const token = "abcdefghijklmnopqrstuvwxyz0123456789"
			cfg := wsx.Config{Hub: h, Logger: log.logger(), Auth: auth.Static(map[string]string{token: "ann"})}
			app.Use("/ws", wsx.New(cfg))
			cfg.Hub = other
			app.Use("/other", wsx.New(cfg))
			addr := serve(t, app, h, other)
			for range 3 {
				for _, path := range []string{"/ws", "/other"} {
					if got := status(t, addr, handshake(path, "+Authorization: Bearer "+token)); got != http.StatusSwitchingProtocols {
						t.Fatalf("got %d", got)
					}
				}
			}
			if strings.Contains(log.String(), token) {
				t.Error("the log holds the token")
			}
			if tt.with == "" {
				wantWarnings(t, log, "", 0)
				return
			}
			wantWarnings(t, log, "", 1)
			wantWarnings(t, log, tt.with, 1)
		})
	}
}

// TestServeWarns serves hubs whose handlers are none of this package.
func TestServeWarns(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close() // so that Serve returns
	log, before := new(record), slog.Default()
	slog.SetDefault(log.logger())
	defer slog.SetDefault(before)
	h := echoHub(hub.Config{Logger: quiet, PingInterval: time.Hour})
	if err := wsx.Serve(newApp(), ln, h); err != nil {
		t.Error(err)
	}
	wantWarnings(t, log, "hub.Config.PingInterval", 1)
}
