package wsx_test

import (
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestHijackFacts holds what the middleware builds on: Close does nothing, the socket below can be had, and the end of
// the handler closes it.
func TestHijackFacts(t *testing.T) {
	app := newApp()
	app.Get("/", func(c *fiber.Ctx) error {
		c.Context().HijackSetNoResponse(true)
		c.Context().Hijack(func(nc net.Conn) {
			_, _ = io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			_ = nc.Close()
			_, _ = io.WriteString(nc, "open ")
			if u, ok := nc.(interface{ UnsafeConn() net.Conn }); ok {
				_, _ = io.WriteString(u.UnsafeConn(), "below")
			}
		})
		return nil
	})
	addr := serve(t, app)
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nc.Close() }()
	if _, err := io.WriteString(nc, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(nc)
	if err != nil || !strings.HasSuffix(string(got), "\r\n\r\nopen below") {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestMaxConnsPerIP uses fasthttp's own limit, whose wrapper around the socket must not be closed twice, and has to be
// closed once: it counts.
func TestMaxConnsPerIP(t *testing.T) {
	const limit = 3
	h := echoHub(hub.Config{CloseTimeout: 200 * time.Millisecond, OnMessage: func(c *hub.Conn, m hub.Message) error {
		switch m.Text() {
		case "panic":
			panic("no")
		case "goexit":
			runtime.Goexit()
		case "close":
			return ws.CloseError{Status: ws.StatusKicked}
		}
		return c.Send(m)
	}})
	app := newApp()
	app.Server().MaxConnsPerIP = limit
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet}))
	addr := serve(t, app, h)
	dial := func() *wsxtest.Client {
		var client *wsxtest.Client
		eventually(t, "the address has a free place", func() bool {
			c, _, err := wsxtest.TryDial(t, "ws://"+addr+"/ws")
			client = c
			return err == nil && c != nil
		})
		return client
	}
	for n, end := range []string{"normal", "panic", "goexit", "close", "reset", "silence", "shut", "panic", "goexit", "normal"} {
		var clients []*wsxtest.Client
		for range limit {
			c := dial()
			c.SendText("hello")
			if got := c.ReadText(); got != "hello" {
				t.Fatalf("round %d, %s: got %q", n, end, got)
			}
			clients = append(clients, c)
		}
		for _, c := range clients {
			switch end {
			case "normal":
				c.Close()
			case "reset":
				c.Reset()
			case "silence": // nobody answers the close frame
				for conn := range h.Conns() {
					_ = conn.Close(ws.StatusKicked, "")
				}
			case "shut":
				_ = c.Conn().Close()
			default:
				c.SendText(end)
				c.ReadClose()
				for err := error(nil); err == nil; {
					_, err = c.ReadFrame() // the server hangs up
				}
			}
		}
	}
	for range limit {
		dial()
	}
}

// TestServersWithOtherSettings runs under settings of the server that change how it treats a connection.
func TestServersWithOtherSettings(t *testing.T) {
	for name, cfg := range map[string]fiber.Config{
		"DisableKeepalive":  {DisableKeepalive: true},
		"StreamRequestBody": {StreamRequestBody: true},
		"ReduceMemoryUsage": {ReduceMemoryUsage: true},
		"Immutable":         {Immutable: true},
		"WriteTimeout":      {WriteTimeout: time.Second},
		"ServerHeader":      {ServerHeader: "fiber"},
		"GETOnly":           {GETOnly: true},
		"StrictRouting":     {StrictRouting: true, CaseSensitive: true, UnescapePath: true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.ReadTimeout = 5 * time.Second
			h := echoHub()
			app := newApp(cfg)
			app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet}))
			addr := serve(t, app, h)
			request := handshake("/ws", "Connection: Upgrade, close")
			resp, c := wsxtest.Exchange(t, addr, request+string(wsxtest.AppendFrame(nil, true, opText, []byte("early"))))
			if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Connection") != "Upgrade" {
				t.Fatalf("got %s with %v", resp.Status, resp.Header)
			}
			if got := c.ReadText(); got != "early" {
				t.Errorf("got %q", got)
			}
			c.SendText("late")
			if got := c.ReadText(); got != "late" {
				t.Errorf("got %q", got)
			}
			c.Close()
		})
	}
}

// TestAFormIsNoFrame: fasthttp reads a body with parts up to the end of the last one, not to its own.
func TestAFormIsNoFrame(t *testing.T) {
	frames := strings.Repeat(string(wsxtest.AppendFrame(nil, true, opText, []byte("smuggled"))), 900)
	for name, row := range map[string]struct {
		cfg   fiber.Config
		field string
	}{
		"read":              {fiber.Config{}, "multipart/form-data; boundary=x"},
		"streamed":          {fiber.Config{StreamRequestBody: true}, "multipart/form-data; boundary=x"},
		"not looked at":     {fiber.Config{DisablePreParseMultipartForm: true}, "multipart/form-data; boundary=x"},
		"in other letters":  {fiber.Config{}, "Multipart/Form-Data; boundary=x"},
		"of other parts":    {fiber.Config{}, "multipart/mixed; boundary=x"},
		"without a border":  {fiber.Config{}, "multipart/form-data"},
		"in a second field": {fiber.Config{}, "text/plain\r\nContent-Type: multipart/form-data; boundary=x"},
	} {
		t.Run(name, func(t *testing.T) {
			h := echoHub()
			row.cfg.ReadTimeout = 5 * time.Second
			app := newApp(row.cfg)
			app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet}))
			addr := serve(t, app, h)
			body := "--x--\r\n" + frames
			resp, c := wsxtest.Exchange(t, addr,
				handshake("/ws", "+Content-Type: "+row.field, "+Content-Length: "+strconv.Itoa(len(body)))+body)
			if resp.StatusCode != http.StatusBadRequest || !resp.Close {
				t.Errorf("got %s, the connection closes: %t", resp.Status, resp.Close)
			}
			_ = c.Conn().Close()
			resp, c = wsxtest.Exchange(t, addr, handshake("/ws", "+Content-Type: "+row.field))
			if resp.StatusCode != http.StatusSwitchingProtocols {
				t.Errorf("without a body: got %s", resp.Status)
			}
			_ = c.Conn().Close()
			eventually(t, "the end", func() bool { return h.Stats().Closed == 1 })
			if n := h.Stats().MessagesIn; n != 0 {
				t.Errorf("%d frames of the body were handled", n)
			}
		})
	}
}

// TestABodyThatIsStreamedIsNoFrame: fasthttp calls the handler before it has read such a body, and a connection can
// only be switched behind the whole request (RFC 9110, section 7.8).
func TestABodyThatIsStreamedIsNoFrame(t *testing.T) {
	h := echoHub()
	app := newApp(fiber.Config{ReadTimeout: 5 * time.Second, StreamRequestBody: true})
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet}))
	addr := serve(t, app, h)
	frame := string(wsxtest.AppendFrame(nil, true, opText, []byte("smuggled")))
	long := strings.Repeat(frame, 900) // more than the 8 KiB that fasthttp reads of it
	for name, row := range map[string]struct {
		request string
		status  int
	}{
		"chunks":       {handshake("/ws", "+Transfer-Encoding: chunked") + frame, http.StatusBadRequest},
		"short":        {handshake("/ws", "+Content-Length: "+strconv.Itoa(len(frame))) + frame, http.StatusBadRequest},
		"long":         {handshake("/ws", "+Content-Length: "+strconv.Itoa(len(long))) + long, http.StatusBadRequest},
		"of 0 bytes":   {handshake("/ws", "+Content-Length: 0"), http.StatusSwitchingProtocols},
		"of 00 bytes":  {handshake("/ws", "+Content-Length: 00"), http.StatusSwitchingProtocols},
		"none, frames": {handshake("/ws") + frame, http.StatusSwitchingProtocols},
	} {
		resp, c := wsxtest.Exchange(t, addr, row.request)
		if resp.StatusCode != row.status || resp.Close != (row.status == http.StatusBadRequest) {
			t.Errorf("%s: got %s, the connection closes: %t", name, resp.Status, resp.Close)
		}
		_ = c.Conn().Close()
	}
	eventually(t, "three were opened", func() bool { return h.Stats().Opened >= 3 })
	eventually(t, "all are over", func() bool { return h.Len() == 0 })
	if n := h.Stats().Opened; n != 3 {
		t.Errorf("%d connections opened, want 3", n)
	}
}
