//go:build unix

package wsx_test

import (
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth/jwt"
)

// TestRefusalsTakeTurns: a connection that sends one handshake after the other, all of which are refused, does not keep
// others waiting, even on one processor, where Go looks for input when nothing else can run.
func TestRefusalsTakeTurns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const most = 3
	if waited := refusalsUntilRead(t); waited > most {
		t.Errorf("input was read %d refusals after it had come, want %d at most", waited, most)
	}
}

// refusalsUntilRead has many handshakes refused, and returns how many of them come between some input for another
// goroutine and the moment that it has read it.
func refusalsUntilRead(t *testing.T) int64 {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	var refused atomic.Int64
	seen := make(chan int64, 1)
	go func() {
		_, _ = r.Read(make([]byte, 1))
		seen <- refused.Load()
	}()
	const handshakes, at = 200, 10
	app := newApp()
	app.Use("/ws", wsx.New(wsx.Config{
		Hub: echoHub(), Logger: slog.New(slog.DiscardHandler), Auth: jwt.HMAC(key), TrustedProxies: []string{"127.0.0.1"},
		ErrorHandler: func(c *fiber.Ctx, err error) error {
			if refused.Add(1) == at {
				_, _ = w.Write([]byte("x"))
			}
			return fiber.DefaultErrorHandler(c, err)
		},
	}))
	app.Handler() // before ServeConn needs it
	s := &spoofer{begun: []byte(strings.TrimSuffix(handshake("/ws"), "\r\n")), end: handshakes, answers: make(map[string]int)}
	if err := app.Server().ServeConn(s); err != nil {
		t.Fatal(err)
	}
	if got := s.answers["401"]; got != handshakes {
		t.Errorf("%d of %d handshakes are refused", got, handshakes)
	}
	select {
	case n := <-seen:
		return n - at
	case <-time.After(time.Minute):
		t.Fatal("the input was never read")
		return 0
	}
}
