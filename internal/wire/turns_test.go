//go:build unix

package wire_test

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestInflatingTakesTurns: who sends one long compressed message after the other does not keep others waiting.
func TestInflatingTakesTurns(t *testing.T) {
	w := newWaiter(t)
	p := agreed(t, wire.NewEngine(compressing()), alone, &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) { w.handled() }})
	var rows []byte
	payload := p.packed(strings.Repeat("x", 60<<10))
	for range 100 {
		rows = wsxtest.AppendFrame(rows, true, wire.OpText|rsv1, payload)
	}
	must(t, p.client.Raw(rows))
	w.wantServed(t)
}

// TestReadingTakesTurns: nor does who sends without a pause what takes its time.
func TestReadingTakesTurns(t *testing.T) {
	for _, detached := range []bool{true, false} {
		t.Run(fmt.Sprintf("detached %v", detached), func(t *testing.T) {
			w := newWaiter(t)
			client, server := tcpPair(t)
			must(t, server.(*net.TCPConn).SetReadBuffer(1<<20)) // less than that, but for many messages
			if !detached {
				server = wrapped{server}
			}
			r := start(t, client, server, limits(), &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) {
				for begun := time.Now(); time.Since(begun) < 300*time.Microsecond; { // with the processor
				}
				w.handled()
			}})
			frame := wsxtest.AppendFrame(nil, true, wire.OpBinary, make([]byte, 16<<10))
			over := make(chan struct{})
			go func() {
				defer close(over)
				for r.client.Raw(frame) == nil {
				}
			}()
			w.wantServed(t)
			_ = r.client.Conn().Close()
			<-over
		})
	}
}

// waiter is somebody who waits for input, on one processor, on which Go looks for what is ready when nothing else can
// run.
type waiter struct {
	r, w     *os.File
	messages atomic.Int64 // of the others
	seen     chan int64   // how many there were when the waiter was served
}

// written is after how many messages there is something for the waiter, and patient how many more may come before it.
const written, patient = 10, 6

func newWaiter(t *testing.T) *waiter {
	before := runtime.GOMAXPROCS(1)
	r, w, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() {
		runtime.GOMAXPROCS(before)
		_, _ = r.Close(), w.Close()
	})
	a := &waiter{r: r, w: w, seen: make(chan int64, 1)}
	go func() {
		_, _ = r.Read(make([]byte, 1))
		a.seen <- a.messages.Load()
	}()
	return a
}

// handled is called after each message of the others.
func (a *waiter) handled() {
	if a.messages.Add(1) == written {
		_, _ = a.w.Write([]byte("x"))
	}
}

func (a *waiter) wantServed(t *testing.T) {
	t.Helper()
	select {
	case n := <-a.seen:
		if n > written+patient {
			t.Errorf("what was there after %d messages was seen after %d", written, n)
		}
	case <-time.After(time.Minute):
		t.Fatal("what was there was never seen")
	}
}
