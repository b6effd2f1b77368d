package wsx_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
)

func TestMain(m *testing.M) {
	slog.SetDefault(quiet)
	app := newApp() // starts what fasthttp starts once a process
	if _, err := app.Test(newRequest("/")); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).workerFunc"))
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func newApp(config ...fiber.Config) *fiber.App {
	cfg := fiber.Config{DisableStartupMessage: true, ReadTimeout: 5 * time.Second}
	if len(config) > 0 {
		cfg = config[0]
		cfg.DisableStartupMessage = true
	}
	return fiber.New(cfg)
}

// serve runs the app on a real socket until the test ends, and returns its address.
func serve(t *testing.T, app *fiber.App, hubs ...*hub.Hub) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for _, h := range hubs {
			if err := h.Shutdown(ctx); err != nil {
				t.Errorf("shutting the hub down: %v", err)
			}
		}
		if err := app.ShutdownWithContext(ctx); err != nil {
			t.Errorf("shutting Fiber down: %v", err)
		}
		<-done
	})
	return ln.Addr().String()
}

// echoHub returns a hub that sends every message back.
func echoHub(config ...hub.Config) *hub.Hub {
	cfg := hub.Config{}
	if len(config) > 0 {
		cfg = config[0]
	}
	if cfg.OnMessage == nil {
		cfg.OnMessage = func(c *hub.Conn, m hub.Message) error { return c.Send(m) }
	}
	cfg.Logger = quiet
	return hub.New(cfg)
}

// serveEcho serves an echo at /ws and returns "host:port".
func serveEcho(t *testing.T, cfg wsx.Config, config ...hub.Config) (addr string, h *hub.Hub) {
	t.Helper()
	h = echoHub(config...)
	cfg.Hub, cfg.Logger = h, quiet
	app := newApp()
	app.Use("/ws", wsx.New(cfg))
	return serve(t, app, h), h
}

func skipOrFail(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("WSX_REQUIRE") == "all" {
		t.Fatal(why)
	}
	t.Skip(why)
}
