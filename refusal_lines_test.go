package wsx_test

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
)

// TestRefusalsDoNotFillTheLog: a hundred refusals are logged, then ten a second, and what is left out is told.
func TestRefusalsDoNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		h := echoHub()
		defer func() { _ = h.Shutdown(t.Context()) }()
		app := fiber.New(fiber.Config{ReadTimeout: time.Second})
		app.Use("/ws", wsx.New(wsx.Config{Hub: h, RequireUpgrade: true, Logger: slog.New(slog.NewTextHandler(&log, nil))}))
		refused := func(n int) (lines int, text string) {
			log.Reset()
			for range n {
				resp, err := app.Test(httptest.NewRequest("GET", "/ws", nil))
				if err != nil {
					t.Fatal(err)
				}
				if err := resp.Body.Close(); err != nil || resp.StatusCode != fiber.StatusUpgradeRequired {
					t.Fatalf("answered with %d, %v", resp.StatusCode, err)
				}
			}
			return strings.Count(log.String(), "handshake refused"), log.String()
		}
		if lines, text := refused(150); lines != 100 || strings.Contains(text, "left_out") {
			t.Errorf("150 refusals at once: %d lines, %.300q", lines, text)
		}
		time.Sleep(time.Second)
		if lines, text := refused(20); lines != 10 || strings.Count(text, "left_out=50") != 1 {
			t.Errorf("20 refusals a second later: %d lines, %.300q", lines, text)
		}
	})
}
