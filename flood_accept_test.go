package wsx_test

import (
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/wsxtest"
)

// exhausted is a listener whose process has no descriptor left for a while.
type exhausted struct {
	net.Listener
	left atomic.Int32
}

func (l *exhausted) Accept() (net.Conn, error) {
	if l.left.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

// TestServeOutlivesAWantOfDescriptors has accepting fail for a while: Serve goes on, and whoever comes then is served.
func TestServeOutlivesAWantOfDescriptors(t *testing.T) {
	h, app := echoHub(), newApp()
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet}))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &exhausted{Listener: ln}
	l.left.Store(3)
	served := make(chan error, 1)
	go func() { served <- wsx.Serve(app, l, h) }()
	select {
	case err := <-served:
		t.Fatalf("Serve returned %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	c := wsxtest.Dial(t, "ws://"+ln.Addr().String()+"/ws")
	said(t, c, "hello")
	c.Close()
	if err := app.Shutdown(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
