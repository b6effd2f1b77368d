package wsx_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestACrashBeforeThe101IsAnAnswer: fasthttp catches no panic, so each of these would end the process, and the other
// connections with it.
func TestACrashBeforeThe101IsAnAnswer(t *testing.T) {
	crash := func() { panic(errors.New(secret)) }
	known := auth.Func(func(context.Context, string) (auth.Identity, error) { crash(); return auth.Identity{}, nil })
	for name, cfg := range map[string]wsx.Config{
		"Auth":         {Auth: known},
		"Identify":     {Identify: func(*fiber.Ctx) (auth.Identity, error) { crash(); return auth.Identity{}, nil }},
		"Authorize":    {Authorize: func(*fiber.Ctx, auth.Identity) error { crash(); return nil }},
		"OriginFunc":   {OriginFunc: func(string) bool { crash(); return true }},
		"Bind":         {Bind: func(*fiber.Ctx) (any, error) { crash(); return nil, nil }},
		"ErrorHandler": {ErrorHandler: func(*fiber.Ctx, error) error { crash(); return nil }, OriginFunc: func(string) bool { return false }},
	} {
		t.Run(name, func(t *testing.T) {
			var log record
			cfg.Logger, cfg.MaxConnsPerIP = log.logger(), 1
			addr, h := serveEcho(t, cfg, hub.Config{MaxConns: 1})
			for range 2 { // what the first one had is given back
				fields := []string{"+Authorization: Bearer " + versionToken}
				if cfg.OriginFunc != nil {
					fields = append(fields, "+Origin: https://other.example")
				}
				want := `{"error":"internal error"}`
				if cfg.ErrorHandler != nil {
					want = "Internal Server Error" // in Fiber's words
				}
				resp, c := wsxtest.Exchange(t, addr, handshake("/ws", fields...))
				if got := body(t, resp); resp.StatusCode != http.StatusInternalServerError || got != want {
					t.Errorf("got %s %q, want %q", resp.Status, got, want)
				}
				_ = c.Conn().Close()
			}
			if !strings.Contains(log.String(), "websocket callback crashed") || !strings.Contains(log.String(), "TestACrashBeforeThe101") {
				t.Errorf("the log does not say where: %.500s", log.String())
			}
			if strings.Contains(log.String(), secret) {
				t.Error("the panic's text is in the log")
			}
			if n := h.Len(); n != 0 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// TestACrashForATicketIsAnAnswer too.
func TestACrashForATicketIsAnAnswer(t *testing.T) {
	var log record
	app := newApp()
	app.Post("/ticket", wsx.Tickets(auth.NewTickets(), wsx.Config{
		Logger: log.logger(), Identify: func(*fiber.Ctx) (auth.Identity, error) { panic(secret) },
	}))
	addr := serve(t, app, echoHub())
	if got := status(t, addr, "POST /ticket HTTP/1.1\r\nHost: example.com\r\nContent-Length: 0\r\n\r\n"); got != http.StatusInternalServerError {
		t.Errorf("got %d", got)
	}
	if !strings.Contains(log.String(), "websocket callback crashed") || strings.Contains(log.String(), secret) {
		t.Errorf("the log: %.500s", log.String())
	}
}
