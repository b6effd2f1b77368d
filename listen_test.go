package wsx_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// serverEnv makes the test binary a server: its value says which.
const serverEnv = "WSX_TEST_SERVER"

// runServer serves until a signal, with its address on the standard output, and returns the exit status.
func runServer(mode string) int {
	cfg := hub.Config{OnMessage: func(c *hub.Conn, m hub.Message) error { return c.Send(m) }}
	var j journal
	switch mode {
	case "journal":
		j.configure(&cfg)
	case "stuck":
		cfg.OnMessage = func(c *hub.Conn, m hub.Message) error {
			_ = c.Send(m)
			select {} // for ever
		}
	case "lossy":
		cfg.OnMessage = nil
		cfg.DrainTimeout = 300 * time.Millisecond
		cfg.OnBatch = func(context.Context, *hub.Batch) error { return errors.New("the store is gone") }
	}
	h := hub.New(cfg)
	j.hub = h
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Use("/ws", wsx.New(wsx.Config{Hub: h}))
	app.Get("/accepted", func(c *fiber.Ctx) error { return c.SendString(fmt.Sprint(h.Stats().BatchAccepted)) })
	app.Hooks().OnListen(func(d fiber.ListenData) error {
		_, err := fmt.Println(net.JoinHostPort(d.Host, d.Port))
		return err
	})
	if err := wsx.Listen(app, "127.0.0.1:0", h); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	return 0
}

// process is a server that runs in a process of its own.
type process struct {
	*exec.Cmd
	addr   string
	stderr *record
}

func start(t *testing.T, mode string) *process {
	t.Helper()
	if runtime.GOOS == "windows" {
		skipOrFail(t, "there is no SIGTERM here")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	p := &process{Cmd: exec.CommandContext(ctx, os.Args[0]), stderr: new(record)}
	p.Env = append(os.Environ(), serverEnv+"="+mode)
	p.Stderr = p.stderr
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill()
		_ = p.Wait()
		cancel()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v\n%s", err, p.stderr)
	}
	p.addr = strings.TrimSpace(line)
	return p
}

// signal sends SIGTERM.
func (p *process) signal(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// exit waits for the end of the process and returns its status.
func (p *process) exit(t *testing.T) int {
	t.Helper()
	err := p.Wait()
	if e := new(exec.ExitError); err != nil && !errors.As(err, &e) {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

func TestSIGTERMTellsEverybody(t *testing.T) {
	p := start(t, "echo")
	var clients []*wsxtest.Client
	for range 20 {
		c := wsxtest.Dial(t, "ws://"+p.addr+"/ws")
		c.SendText("hello")
		if got := c.ReadText(); got != "hello" {
			t.Fatalf("got %q", got)
		}
		clients = append(clients, c)
	}
	p.signal(t)
	for _, c := range clients {
		if e := c.ReadClose(); e.Status != ws.StatusGoingAway {
			t.Errorf("a client was told %v, want 1001", e)
		}
	}
	if got := p.exit(t); got != 0 {
		t.Errorf("exit status %d, want 0\n%s", got, p.stderr)
	}
	for _, line := range []string{"the app has no timeouts", "shutting down", "websocket hub drained"} {
		if !strings.Contains(p.stderr.String(), line) {
			t.Errorf("the log does not say %q", line)
		}
	}
}

func TestASecondSignalCutsTheShutdownShort(t *testing.T) {
	p := start(t, "stuck")
	c := wsxtest.Dial(t, "ws://"+p.addr+"/ws")
	c.SendText("hello")
	c.ReadText() // the handler is in its endless wait
	began := time.Now()
	p.signal(t)
	eventually(t, "the first signal arrives", func() bool { return strings.Contains(p.stderr.String(), "second signal") })
	p.signal(t)
	if got := p.exit(t); got != 3 {
		t.Errorf("exit status %d, want that of an error", got)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("took %s, so it waited for the drain's 20 s", took)
	}
	if !strings.Contains(p.stderr.String(), "1 callbacks that did not return") {
		t.Errorf("the error does not name the callback:\n%s", p.stderr)
	}
}

func TestAbandonedMessagesAreAnError(t *testing.T) {
	p := start(t, "lossy")
	c := wsxtest.Dial(t, "ws://"+p.addr+"/ws")
	c.SendText("one")
	c.SendText("two")
	eventually(t, "both are accepted", func() bool {
		resp, _ := wsxtest.Exchange(t, p.addr, "GET /accepted HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		return body(t, resp) == "2"
	})
	p.signal(t)
	if e := c.ReadClose(); e.Status != ws.StatusGoingAway {
		t.Errorf("the client was told %v, want 1001", e)
	}
	if got := p.exit(t); got != 3 {
		t.Errorf("exit status %d, want that of an error", got)
	}
	if !strings.Contains(p.stderr.String(), "2 messages abandoned") {
		t.Errorf("the error does not name the number:\n%s", p.stderr)
	}
}

func TestListenTLS(t *testing.T) {
	cert, err := wsx.SelfSigned("localhost")
	if err != nil {
		t.Fatal(err)
	}
	h := echoHub()
	app := newApp()
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet}))
	port := make(chan string, 1)
	app.Hooks().OnListen(func(d fiber.ListenData) error {
		port <- d.Port
		return nil
	})
	served := make(chan error, 1)
	go func() { served <- wsx.ListenTLS(app, "127.0.0.1:0", cert, h) }()
	pool := x509.NewCertPool()
	pool.AddCert(cert.Leaf)
	trusting := wsxtest.Options{TLS: &tls.Config{RootCAs: pool}}
	address := "wss://127.0.0.1:" + <-port + "/ws"
	c := wsxtest.Dial(t, address, trusting)
	c.SendText("hello")
	if got := c.ReadText(); got != "hello" {
		t.Errorf("got %q", got)
	}
	if _, _, err := wsxtest.TryDial(t, address, wsxtest.Options{TLS: &tls.Config{}}); err == nil {
		t.Error("a client trusts the certificate without having been told to")
	}
	if err := app.Shutdown(); err != nil { // not by a signal: the hubs are drained all the same
		t.Error(err)
	}
	if e := c.ReadClose(); e.Status != ws.StatusGoingAway {
		t.Errorf("got %v, want 1001", e)
	}
	if err := <-served; err != nil {
		t.Errorf("ListenTLS: %v", err)
	}
}

func TestServeRefusesPrefork(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{Prefork: true, DisableStartupMessage: true})
	if err := wsx.Serve(app, ln, echoHub()); err == nil || !strings.Contains(err.Error(), "turn it off") {
		t.Errorf("got %v", err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is still open: %v", err)
	}
}

func TestListenReportsAnAddressInUse(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	if err := wsx.Listen(newApp(), ln.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v", err)
	}
	if err := wsx.ListenTLS(newApp(), ln.Addr().String(), tls.Certificate{}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("with TLS got %v", err)
	}
}

func TestTheAppsTimeoutsStay(t *testing.T) {
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ReadTimeout: time.Second, IdleTimeout: time.Minute})
	bare := fiber.New(fiber.Config{DisableStartupMessage: true})
	for _, a := range []*fiber.App{app, bare} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = ln.Close()
		_ = wsx.Serve(a, ln) // ends at once
	}
	if s := app.Server(); s.ReadTimeout != time.Second || s.IdleTimeout != time.Minute || s.HeaderReceived != nil {
		t.Errorf("the app's timeouts became %s, %s", s.ReadTimeout, s.IdleTimeout)
	}
	if !app.Server().SecureErrorLogMessage {
		t.Error("an error of the parser tells the request")
	}
	if s := bare.Server(); s.ReadTimeout != 5*time.Second || s.IdleTimeout != 75*time.Second || s.HeaderReceived == nil {
		t.Errorf("the defaults are %s, %s", s.ReadTimeout, s.IdleTimeout)
	}
}

func TestSelfSignedNeedsAHost(t *testing.T) {
	if _, err := wsx.SelfSigned(); err == nil {
		t.Error("a certificate for nobody")
	}
}

// TestWhatCannotBeServed is an error that says so, and not a crash behind the scenes.
func TestWhatCannotBeServed(t *testing.T) {
	app := fiber.New()
	for name, row := range map[string]struct {
		serve func() error
		says  string
	}{
		"no listener":    {func() error { return wsx.Serve(app, nil) }, "needs a listener"},
		"no app":         {func() error { return wsx.Listen(nil, "127.0.0.1:0") }, "no app"},
		"no hub":         {func() error { return wsx.Listen(app, "127.0.0.1:0", nil) }, "a hub is nil"},
		"no certificate": {func() error { return wsx.ListenTLS(app, "127.0.0.1:0", tls.Certificate{}) }, "needs a certificate"},
		"no app, by TLS": {func() error { return wsx.ListenTLS(nil, "127.0.0.1:0", tls.Certificate{}) }, "no app"},
		"neither":        {func() error { return wsx.Serve(nil, nil) }, "needs a listener"},
	} {
		if err := row.serve(); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v; want %q in it", name, err, row.says)
		}
	}
}
