//go:build unix

package wire_test

import (
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

// TestInflatingTakesTurns: who sends one long compressed message after the other does not keep others waiting, even on
// one processor, on which Go looks for what is ready when nothing else can run.
func TestInflatingTakesTurns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close()
	var handled atomic.Int64
	seen := make(chan int64, 1)
	go func() {
		_, _ = r.Read(make([]byte, 1))
		seen <- handled.Load()
	}()
	const messages, at, most = 100, 10, 3
	h := &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) {
		if handled.Add(1) == at {
			_, _ = w.Write([]byte("x"))
		}
	}}
	p := agreed(t, wire.NewEngine(compressing()), alone, h)
	var rows []byte
	payload := p.packed(strings.Repeat("x", 60<<10))
	for range messages {
		rows = wsxtest.AppendFrame(rows, true, wire.OpText|rsv1, payload)
	}
	must(t, p.client.Raw(rows))
	select {
	case n := <-seen:
		if n > at+most {
			t.Errorf("what was ready after %d messages was seen after %d", at, n)
		}
	case <-time.After(time.Minute):
		t.Fatal("what was ready was never seen")
	}
}
