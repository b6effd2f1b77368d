package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// asProgram makes the test binary behave as the program itself.
const asProgram = "ECHO_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// freeAddress is one that nobody listened at a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

// connect waits for the server.
func connect(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-tick.C {
		c, _, err := websocket.Dial(t.Context(), url, nil)
		if err == nil {
			return c
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestEcho(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGTERM on Windows")
	}
	address := freeAddress(t)
	cmd := exec.Command(os.Args[0], "-addr", address)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()

	c := connect(t, "ws://"+address+"/ws")
	c.SetReadLimit(1 << 20)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, sent := range []struct {
		kind websocket.MessageType
		data string
	}{
		{websocket.MessageText, "hello"}, {websocket.MessageText, ""}, {websocket.MessageBinary, "\x00\xff"},
		{websocket.MessageText, strings.Repeat("é", 16<<10)},
	} {
		if err := c.Write(ctx, sent.kind, []byte(sent.data)); err != nil {
			t.Fatal(err)
		}
		kind, data, err := c.Read(ctx)
		if err != nil || kind != sent.kind || string(data) != sent.data {
			t.Errorf("sent %v %.20q, got %v %.20q, %v", sent.kind, sent.data, kind, data, err)
		}
	}

	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("at the end: %v, want 1001", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
}
