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

// TestRefusalsTakeTurns: a connection on which one handshake that is refused follows the other does not keep others
// waiting, even on one processor, on which Go looks for what is ready when nothing else can run.
func TestRefusalsTakeTurns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
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
	const handshakes, at, most = 200, 10, 3
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
		if n > at+most {
			t.Errorf("what was ready after %d refusals was seen after %d", at, n)
		}
	case <-time.After(time.Minute):
		t.Fatal("what was ready was never seen")
	}
}
