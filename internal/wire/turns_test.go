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

// TestInflatingTakesTurns: a client that sends one long compressed message after the other does not keep others
// waiting.
func TestInflatingTakesTurns(t *testing.T) {
	wantTurns(t, func(w *waiter) {
		p := agreed(t, wire.NewEngine(compressing()), alone, &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) { w.handled() }})
		var rows []byte
		payload := p.packed(strings.Repeat("x", 60<<10))
		for range 100 {
			rows = wsxtest.AppendFrame(rows, true, wire.OpText|rsv1, payload)
		}
		must(t, p.client.Raw(rows))
		w.await(t)
	})
}

// TestReadingTakesTurns: nor does one that sends messages without a pause, each of which takes the handler some time.
func TestReadingTakesTurns(t *testing.T) {
	for _, detached := range []bool{true, false} {
		t.Run(fmt.Sprintf("detached %v", detached), func(t *testing.T) {
			wantTurns(t, func(w *waiter) { readWithoutAPause(t, w, detached) })
		})
	}
}

func readWithoutAPause(t *testing.T, w *waiter, detached bool) {
	t.Helper()
	client, server := tcpPair(t)
	must(t, server.(*net.TCPConn).SetReadBuffer(1<<20)) // so that many messages are there at once
	if !detached {
		server = wrapped{server}
	}
	r := start(t, client, server, limits(), &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) {
		w.work()
	}})
	frame := wsxtest.AppendFrame(nil, true, wire.OpBinary, make([]byte, 16<<10))
	over := make(chan struct{})
	go func() {
		defer close(over)
		for r.client.Raw(frame) == nil {
		}
	}()
	w.await(t)
	_ = r.client.Conn().Close()
	<-over
}

// TestManyThatReadMuchTakeTurns: while too much waits for receivers, nor do many of which each has one message to read
// that is no small one.
func TestManyThatReadMuchTakeTurns(t *testing.T) {
	for _, detached := range []bool{true, false} {
		t.Run(fmt.Sprintf("detached %v", detached), func(t *testing.T) {
			wantTurns(t, func(w *waiter) { readManyAtOnce(t, w, detached) })
		})
	}
}

func readManyAtOnce(t *testing.T, w *waiter, detached bool) {
	t.Helper()
	const many = 50
	long := wsxtest.AppendFrame(nil, true, wire.OpBinary, make([]byte, 8<<10))
	cfg := limits()
	cfg.OutboxBudget = 100 << 10
	e, warm := wire.NewEngine(cfg), make(chan struct{}, many)
	for range 15 { // more than half of it, and nobody is closed for so little
		_, c := unheard(t, e, func(*wire.Conn) {})
		must(t, c.Send(ws.Binary, make([]byte, 4000)))
	}
	clients := make([]*wsxtest.Client, many)
	for i := range clients {
		client, server := tcpPair(t)
		if clients[i] = client; !detached {
			server = wrapped{server}
		}
		messages := 0
		startOn(t, client, server, e, &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) {
			if messages++; messages > 1 {
				w.work()
			} else {
				warm <- struct{}{}
			}
		}})
		must(t, client.Raw(text("one that keeps it in Go's poller")))
		<-warm
	}
	for _, c := range clients {
		must(t, c.Raw(long))
	}
	w.await(t)
}

// TestEndingTakesTurns: nor do many connections that end at once.
func TestEndingTakesTurns(t *testing.T) {
	wantTurns(t, func(w *waiter) {
		e := wire.NewEngine(limits())
		const many = 50
		clients := make([]*wsxtest.Client, many)
		for i := range clients {
			client, server := tcpPair(t)
			clients[i] = client
			startOn(t, client, wrapped{server}, e, &recorder{onClosing: w.work})
		}
		for _, c := range clients {
			_ = c.Conn().Close()
		}
		w.await(t)
	})
}

// TestRelievingTakesTurns: nor does closing those that hold too much.
func TestRelievingTakesTurns(t *testing.T) {
	wantTurns(t, func(w *waiter) {
		cfg := limits()
		cfg.OutboxBudget = 8 << 20
		e := wire.NewEngine(cfg)
		holds := func(size int) {
			client, server := wsxtest.Pipe(t)
			must(t, startOn(t, client, server, e, &recorder{onClosing: w.work}).Send(ws.Binary, make([]byte, size)))
		}
		for range 50 {
			holds(60 << 10)
		}
		<-time.After(strain) // all have held theirs for too long when it becomes too much
		holds(8 << 20)
		w.await(t)
	})
}

// wantTurns wants the waiter to have its input soon, while others have messages handled in a way that awaits it.
func wantTurns(t *testing.T, others func(w *waiter)) {
	t.Helper()
	w := newWaiter(t)
	others(w)
	if late := w.served - written; late > patient {
		t.Errorf("input was read %d messages after it had come, want %d at most", late, patient)
	}
}

// waiter is a goroutine that waits for input while others have messages handled. There is one processor, so Go looks
// for input when nothing else can run.
type waiter struct {
	r, w     *os.File
	messages atomic.Int64 // of the others, handled
	seen     chan int64   // how many there were when the waiter had its input
	served   int64        // the same, when somebody has awaited it
}

// written is after how many messages the waiter's input comes, and patient how many more may be handled until it has
// it.
const written, patient = 10, 6

func newWaiter(t *testing.T) *waiter {
	t.Helper()
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

// work takes some of the processor's time for a message.
func (a *waiter) work() {
	for begun := time.Now(); time.Since(begun) < slowSend; { // it keeps the processor
	}
	a.handled()
}

// await waits until the waiter has its input.
func (a *waiter) await(t *testing.T) {
	t.Helper()
	select {
	case a.served = <-a.seen:
	case <-time.After(time.Minute):
		t.Fatal("the input was never read")
	}
}

// TestWritersTakeTurns: nor do many that look at once whether their sockets take something.
func TestWritersTakeTurns(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a writer looks only where connections are detached")
	}
	e := wire.NewEngine(limits())
	turns := make(chan struct{}, 1)
	wire.SetTurn(e, func() {
		select {
		case turns <- struct{}{}:
		default:
		}
	})
	for range 200 {
		client, server := tcpPair(t)
		must(t, server.(*net.TCPConn).SetWriteBuffer(1))
		c := startOn(t, client, server, e, &recorder{})
		for waits := 0; waits == 0; waits, _ = c.Buffered() {
			must(t, c.Send(ws.Binary, make([]byte, 6<<10))) // too little for how long it takes to matter
		}
	}
	select {
	case <-turns:
	case <-time.After(10 * time.Second):
		t.Error("nobody has taken a turn")
	}
}
