package wsx_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(serverEnv); mode != "" {
		os.Exit(runServer(mode))
	}
	slog.SetDefault(quiet)
	app := newApp() // starts what fasthttp starts once a process
	if _, err := app.Test(newRequest("/")); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(watched{m},
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).workerFunc"))
}

// quiet is where the logs go that no test reads.
var quiet = logged.logger(io.Discard)

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
			wantReport(t, h)
		}
		if err := app.ShutdownWithContext(ctx); err != nil {
			t.Errorf("shutting Fiber down: %v", err)
		}
		<-done
	})
	return ln.Addr().String()
}

// wantReport checks that the report of a hub that has ended has a place for every message.
func wantReport(t *testing.T, h *hub.Hub) {
	t.Helper()
	r := h.Report()
	if r.Accepted != r.Committed+r.DeadLettered+r.Nacked+r.Dropped+r.Abandoned || r.Pending != 0 {
		t.Errorf("the report does not add up: %+v", r)
	}
}

// The opcodes of control frames.
const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xa
)

// handshake returns a request that wants to become a WebSocket. path may be a whole request line. A field replaces
// those of its name; "-Name" only takes them away; one that begins with "+" is added as it stands behind it.
func handshake(path string, fields ...string) string {
	if !strings.Contains(path, " ") {
		path = "GET " + path + " HTTP/1.1"
	}
	lines := []string{
		"Host: example.com", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}
	for _, f := range fields {
		if line, ok := strings.CutPrefix(f, "+"); ok {
			lines = append(lines, line)
			continue
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(f, "-"), ":")
		lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, name+":") })
		if !strings.HasPrefix(f, "-") {
			lines = append(lines, f)
		}
	}
	return path + "\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// status returns the status that a request is answered with, on a connection of its own.
func status(t *testing.T, addr, request string) int {
	t.Helper()
	resp, c := wsxtest.Exchange(t, addr, request)
	_ = c.Conn().Close()
	return resp.StatusCode
}

// body returns the body of an answer.
func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading the body: %v", err)
	}
	return string(b)
}

// eventually waits until ok reports true, and fails the test when that takes too long.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(15 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// record is a log that can be read.
type record struct {
	mu sync.Mutex
	b  strings.Builder
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

func (r *record) logger() *slog.Logger {
	return logged.logger(r)
}

// echoHub returns a hub that sends every message back.
func echoHub(config ...hub.Config) *hub.Hub {
	cfg := hub.Config{}
	if len(config) > 0 {
		cfg = config[0]
	}
	if cfg.OnMessage == nil && cfg.OnBatch == nil && cfg.OnConn == nil {
		cfg.OnMessage = func(c *hub.Conn, m hub.Message) error { return c.Send(m) }
	}
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
	return hub.New(cfg)
}

// serveEcho serves an echo at /ws and returns "host:port".
func serveEcho(t *testing.T, cfg wsx.Config, config ...hub.Config) (addr string, h *hub.Hub) {
	t.Helper()
	h = echoHub(config...)
	cfg.Hub = h
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
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
