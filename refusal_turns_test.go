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

// TestRefusalsLetOthersRead: a connection that sends one handshake after the other, all of which are refused, does not
// keep others waiting, even on one processor, where Go looks for input when nothing else can run. Turns rest while the
// process computes, as it may behind other tests: so there are three attempts.
func TestRefusalsLetOthersRead(t *testing.T) {
	const most = 3
	var waited []int64
	for attempt := range 3 {
		if attempt > 0 {
			<-time.After(time.Second) // what computes beside it may be over by then
		}
		waited = append(waited, refuseBeside(t, newBystander(t)))
		if waited[len(waited)-1] <= most {
			return
		}
	}
	t.Errorf("input was read %d pieces after it had come, want %d at most once", waited, most)
}

// refuseBeside refuses 200 handshakes, and returns how many of them it took until the input was read.
func refuseBeside(t *testing.T, b *bystander) (waited int64) {
	t.Helper()
	const handshakes = 200
	app := newApp()
	app.Use("/ws", wsx.New(wsx.Config{
		Hub: echoHub(), Logger: slog.New(slog.DiscardHandler), Auth: jwt.HMAC(key), TrustedProxies: []string{"127.0.0.1"},
		ErrorHandler: func(c *fiber.Ctx, err error) error {
			b.sees()
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
	case n := <-b.seen:
		return n - inputComesWith
	case <-time.After(time.Minute):
		t.Fatal("the input was never read")
		return 0
	}
}

// bystander waits for some input, on one processor, while others have pieces of work done. It comes with the tenth.
type bystander struct {
	r, w   *os.File
	pieces atomic.Int64
	seen   chan int64 // how many pieces there were when it had its input
}

const inputComesWith = 10

func newBystander(t *testing.T) *bystander {
	t.Helper()
	before := runtime.GOMAXPROCS(1)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		runtime.GOMAXPROCS(before)
		_, _ = r.Close(), w.Close()
	})
	b := &bystander{r: r, w: w, seen: make(chan int64, 1)}
	go func() {
		_, _ = r.Read(make([]byte, 1))
		b.seen <- b.pieces.Load()
	}()
	return b
}

// sees counts a piece.
func (b *bystander) sees() {
	if b.pieces.Add(1) == inputComesWith {
		_, _ = b.w.Write([]byte("x"))
	}
}
