package wsx_test

import (
	"fmt"
	"math"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// writeDeadline is how long a socket may take nothing in these tests.
const writeDeadline = time.Second

// ending is how one connection ended.
type ending struct {
	cause error
	at    time.Time
}

// slowHub returns a hub that reports how its slow client, whom the query says, ended. No other one may be too slow.
func slowHub(t *testing.T) (h *hub.Hub, ended <-chan ending) {
	var cfg hub.Config
	ends := make(chan ending, 1)
	cfg.PingInterval = -1 // which would end the slow one as well
	cfg.WriteDeadline, cfg.CloseTimeout = writeDeadline, 500*time.Millisecond
	cfg.OnClose = func(c *hub.Conn, err error) {
		switch {
		case c.Query("slow") != "":
			ends <- ending{err, time.Now()}
		case ws.StatusOf(err) == ws.StatusSlowConsumer:
			t.Errorf("one that reads was cut: %v", err)
		}
	}
	return echoHub(cfg), ends
}

func await(t *testing.T, ended <-chan ending) ending {
	t.Helper()
	select {
	case e := <-ended:
		return e
	case <-time.After(10 * time.Second):
		t.Error("the slow one does not end")
		return ending{}
	}
}

// dialSlow connects a client that never reads, over sockets that hold little.
func dialSlow(t *testing.T, address string) {
	t.Helper()
	c := wsxtest.Dial(t, address+"?slow=yes", wsxtest.Options{Dial: func() (net.Conn, error) {
		nc, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(address, "ws://"), "/ws"))
		if err == nil {
			err = nc.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		return nc, err
	}})
	c.SendText("hello")
}

// narrow has the server's side of the first connection hold little too.
func (on transport) narrow() transport {
	var first sync.Once
	wrap := on.wrap
	on.wrap = func(nc net.Conn) net.Conn {
		first.Do(func() { _ = nc.(*net.TCPConn).SetWriteBuffer(16 << 10) })
		return wrap(nc)
	}
	return on
}

// checkFound checks how long after the last message the slow one ended: the deadline, and the rest for a machine that
// is busy. In place it counts once more for a write of which the socket took a part.
func checkFound(t *testing.T, after time.Duration) {
	t.Helper()
	if after > writeDeadline+2*time.Second {
		t.Errorf("the slow one ended %s after the last message", after)
	}
}

// TestOneThatNeverReads broadcasts to a crowd in which one client does not read: all the others get everything, and
// that one is cut with 4006, as soon as the write deadline says or before.
func TestOneThatNeverReads(t *testing.T) { onEach(t, testNeverReads) }

func testNeverReads(t *testing.T, on transport) {
	const broadcasts = 1000
	crowd := most(1000, 300)
	h, ended := slowHub(t)
	address := on.narrow().serve(t, h)
	dialSlow(t, address)
	text := func(i int) string { return fmt.Sprintf("%d %s", i, strings.Repeat("x", 500+i%97)) }
	clients := make([]*wsxtest.Client, crowd)
	for i := range clients {
		clients[i] = wsxtest.Dial(t, address)
		said(t, clients[i], "hello") // so that it has arrived
	}
	var reading sync.WaitGroup
	for _, c := range clients {
		reading.Go(func() {
			for i := range broadcasts {
				if m, err := c.Read(); err != nil || string(m.Data) != text(i) {
					t.Errorf("got %.9q, %v for message %d", m.Data, err, i)
					return
				}
			}
		})
	}
	for i := range broadcasts {
		if err := h.All().SendText(text(i)); err != nil {
			t.Error(err)
		}
	}
	reading.Wait()
	last := time.Now() // the slow one's socket has been tried with the last message by now
	e := await(t, ended)
	if ws.StatusOf(e.cause) != ws.StatusSlowConsumer {
		t.Errorf("the slow one ended with %v", e.cause)
	}
	checkFound(t, e.at.Sub(last))
	for _, c := range clients {
		c.SendClose(ws.StatusNormalClosure, "")
	}
	awaitOver(t, h)
}

// TestAStalledSocketIsFound sends less than fills an outbox, and nothing more: the write deadline finds the stall.
func TestAStalledSocketIsFound(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		h, ended := slowHub(t)
		address := on.narrow().serve(t, h)
		dialSlow(t, address)
		eventually(t, "it has arrived", func() bool { return h.Stats().MessagesIn == 1 })
		for range 8 {
			if err := h.All().SendText(strings.Repeat("x", 64<<10)); err != nil {
				t.Error(err)
			}
		}
		sent := time.Now()
		e := await(t, ended)
		if ws.StatusOf(e.cause) != ws.StatusSlowConsumer {
			t.Errorf("it ended with %v", e.cause)
		}
		checkFound(t, e.at.Sub(sent))
		awaitOver(t, h)
	})
}

// TestOneThatNeverReadsHoldsLittle broadcasts far more than the outbox of a client that does not read may hold: the
// memory that the process needs stays small.
func TestOneThatNeverReadsHoldsLittle(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		for _, waiting := range []string{"with others", "alone"} {
			t.Run(waiting, func(t *testing.T) { testHoldsLittle(t, on, waiting == "alone") })
		}
	})
}

func testHoldsLittle(t *testing.T, on transport, alone bool) {
	const size, count, most = 64 << 10, 1000, 16 << 20 // 64 MiB in all
	h, ended := slowHub(t)
	address := on.narrow().serve(t, h)
	dialSlow(t, address)
	got := make(chan struct{}, count)
	if alone {
		close(got)
	} else {
		c := wsxtest.Dial(t, address)
		said(t, c, "hello")
		defer c.Close()
		go readSizes(t, c, size, count, got)
	}
	payload, before, highest := strings.Repeat("x", size), heap(), uint64(0)
	for i := range count {
		if err := h.All().SendText(payload); err != nil {
			t.Error(err)
		}
		if i%50 == 0 {
			highest = max(highest, heap())
		}
		if i >= 8 {
			<-got // no more are under way than the sockets hold
		}
	}
	if e := await(t, ended); ws.StatusOf(e.cause) != ws.StatusSlowConsumer {
		t.Errorf("the slow one ended with %v", e.cause)
	}
	if highest > before+most {
		t.Errorf("the heap grew from %d to %d KiB", before>>10, highest>>10)
	}
	for range got { // to the last one
	}
}

// readSizes reads messages of that size, reports each, and closes got.
func readSizes(t *testing.T, c *wsxtest.Client, size, count int, got chan<- struct{}) {
	defer close(got)
	for i := range count {
		if m, err := c.Read(); err != nil || len(m.Data) != size {
			t.Errorf("message %d: %d bytes, %v", i, len(m.Data), err)
			return
		}
		got <- struct{}{}
	}
}

// heap returns the bytes that are in use, by the lowest of a few measures: what others allocate while the collector
// runs counts as used. What lies in a sync.Pool, as other tests leave it, takes two collections.
func heap() uint64 {
	lowest := uint64(math.MaxUint64)
	for range 3 {
		runtime.GC()
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		lowest = min(lowest, s.HeapAlloc)
	}
	return lowest
}
