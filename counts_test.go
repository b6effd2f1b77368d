package wsx_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// ledger is what senders and receivers of a hub have counted.
type ledger struct {
	policies []hub.Policy // of the senders
	cuts     bool         // Close is among them

	mu       sync.Mutex
	tally    hub.Tally
	received atomic.Uint64
}

func (l *ledger) add(t hub.Tally) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tally.Queued += t.Queued
	l.tally.Dropped += t.Dropped
	l.tally.Displaced += t.Displaced
}

// TestCountsUnderChurn has clients come, go in and out of rooms, read late, and go in every order, while others send
// under each policy to each kind of target. In the end every message is accounted for: what the senders were told is
// what the hub has counted, and what it has counted as sent has been received, dropped, replaced, or lost with its
// connection.
func TestCountsUnderChurn(t *testing.T) {
	policies := []hub.Policy{hub.DropNewest, hub.DropOldest, hub.Conflate("a"), hub.Conflate("b")}
	t.Run("nobody is cut", func(t *testing.T) {
		onEach(t, func(t *testing.T, on transport) { testCounts(t, on, &ledger{policies: policies}) })
	})
	t.Run("who does not read is cut", func(t *testing.T) {
		onEach(t, func(t *testing.T, on transport) {
			testCounts(t, on, &ledger{policies: append(policies, hub.Close), cuts: true})
		})
	})
}

func testCounts(t *testing.T, on transport, l *ledger) {
	h := echoHub(hub.Config{
		Rate: -1, PingInterval: -1, OutboxMessages: 12, CloseTimeout: time.Minute, WriteDeadline: time.Minute,
		OutboxBudget: -1, // which cuts off without a close frame who holds much and does not get to run
		OnOpen:       func(c *hub.Conn) error { return c.Join("x") },
		OnMessage:    wander,
	})
	wrap := on.wrap
	on.wrap = func(nc net.Conn) net.Conn { _ = nc.(*net.TCPConn).SetWriteBuffer(16 << 10); return wrap(nc) }
	address := on.serve(t, h)
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for i := range 4 {
		senders.Go(func() { l.send(t, h, i, stop) })
	}
	clients := most(300, 100)
	if l.cuts {
		clients = 40 // which take their 50 ms each
	}
	crowd(clients, 12, func(n int) { l.live(t, h, address, n) })
	close(stop)
	senders.Wait()
	if err := h.All().Close(ws.StatusGoingAway, ""); err != nil {
		t.Error(err)
	}
	awaitOver(t, h)
	l.check(t, h.Stats())
}

// wander goes in and out of rooms, or ends.
func wander(c *hub.Conn, m hub.Message) error {
	switch m.Text() {
	case "in":
		return c.Join("y")
	case "out":
		c.Leave("x")
	case "kick":
		return ws.CloseError{Status: ws.StatusKicked}
	}
	return nil
}

// send sends until stop, each message with a tally.
func (l *ledger) send(t *testing.T, h *hub.Hub, seed int, stop <-chan struct{}) {
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		to := []hub.Target{
			h.To("x"), h.To("x", "y"), h.User(""), h.All(), h.All().Where(func(c *hub.Conn) bool { return c.State() == hub.StateOpen }),
		}[random.IntN(5)]
		var tally hub.Tally
		text := fmt.Sprint(n, ".", strings.Repeat("x", random.IntN(2<<10)))
		if err := to.With(l.policies[random.IntN(len(l.policies))]).Tally(&tally).SendText(text); err != nil {
			t.Error(err)
		}
		for c := range h.Conns() {
			if random.IntN(20) == 0 {
				if err := c.Target().With(hub.DropOldest).Tally(&tally).SendText("one"); err != nil && !errors.Is(err, hub.ErrClosed) {
					t.Error(err)
				}
			}
		}
		l.add(tally)
	}
}

// live is a client that reads to its end, so that everything comes which was sent to it.
func (l *ledger) live(t *testing.T, h *hub.Hub, address string, n int) {
	c := dialed(t, address)
	if c == nil {
		return
	}
	defer c.Conn().Close()
	random := rand.New(rand.NewPCG(uint64(n), 1))
	received, leaveAt := uint64(0), uint64(random.IntN(300))
	defer func() { l.received.Add(received) }()
	for {
		switch {
		case received == leaveAt && n%3 == 0:
			_ = c.Frame(true, opClose, []byte{3, 232})
		case received == leaveAt && n%3 == 1:
			_ = c.Frame(true, opText, []byte("kick"))
		case received == leaveAt: // stops reading
			before := h.Stats()
			eventually(t, "somebody is behind", func() bool { return l.behind(before, h.Stats()) })
			_ = c.Frame(true, opText, []byte("kick"))
		case received < leaveAt && random.IntN(10) == 0:
			_ = c.Frame(true, opText, []byte([]string{"in", "out", ""}[random.IntN(3)]))
		}
		f, err := c.ReadFrame()
		if err != nil || f.Op == opClose {
			if err != nil {
				t.Errorf("a client ended with %v", err)
			}
			finish(c, f)
			return
		}
		received++
	}
}

// behind reports whether somebody has lost messages, or a connection.
func (l *ledger) behind(before, now hub.Stats) bool {
	if l.cuts {
		return now.Unsent > before.Unsent
	}
	return now.OutboxDropped > before.OutboxDropped && now.Conflated > before.Conflated
}

// finish answers a close frame.
func finish(c *wsxtest.Client, f wsxtest.Frame) {
	_ = c.Frame(true, opClose, f.Payload)
	for {
		if _, err := c.ReadFrame(); err != nil {
			return
		}
	}
}

// check compares the books.
func (l *ledger) check(t *testing.T, s hub.Stats) {
	t.Helper()
	if s.OutboxDropped == 0 || s.Conflated == 0 || l.cuts != (s.Unsent > 0) {
		t.Errorf("%d dropped, %d replaced, %d unsent", s.OutboxDropped, s.Conflated, s.Unsent)
	}
	received, queued, dropped := l.received.Load(), uint64(l.tally.Queued), uint64(l.tally.Dropped)
	if got := received + s.OutboxDropped + s.Conflated + s.Unsent; got != s.MessagesOut {
		t.Errorf("%d received, %d dropped, %d replaced, %d unsent are %d; the hub has sent %d",
			received, s.OutboxDropped, s.Conflated, s.Unsent, got, s.MessagesOut)
	}
	// What finds a connection too slow, and closes it, is dropped and does not count as sent.
	if most := queued + dropped; s.MessagesOut < queued || s.MessagesOut > most || !l.cuts && s.MessagesOut != most {
		t.Errorf("the senders were told of %d queued and %d dropped; the hub has sent %d", queued, dropped, s.MessagesOut)
	}
	if l.cuts {
		return
	}
	// What was queued when Send returned may still be replaced by what was sent in the same moment.
	if told := dropped + uint64(l.tally.Displaced); told > s.OutboxDropped+s.Conflated {
		t.Errorf("the senders were told of %d dropped and %d displaced; the hub counts %d and %d",
			dropped, l.tally.Displaced, s.OutboxDropped, s.Conflated)
	}
}
