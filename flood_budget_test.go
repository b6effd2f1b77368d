package wsx_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// budgetHub is an echo hub one of whose budgets a few connections use up, within the limits of each.
func budgetHub(ends chan ws.Status, outbox, partial int) *hub.Hub {
	return echoHub(hub.Config{
		Rate: -1, OutboxBudget: outbox, PartialBudget: partial, PingInterval: -1,
		OutboxMessages: -1, OutboxBytes: 1 << 30, WriteDeadline: time.Minute, CloseTimeout: 500 * time.Millisecond,
		OnClose: func(_ *hub.Conn, err error) { ends <- ws.StatusOf(err) },
	})
}

// TestTheOutboxBudget has clients whose echoes nobody reads, far below the limits of each: they are cut because of what
// they hold together, and somebody who reads goes on.
func TestTheOutboxBudget(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		const clients = 8
		ends := make(chan ws.Status, clients+1)
		h := budgetHub(ends, 512<<10, -1)
		address := on.serve(t, h)
		beside(t, address, func() {
			sendUnread(t, address, clients)
			for range clients / 2 {
				if got := <-ends; got != ws.StatusSlowConsumer {
					t.Errorf("one that does not read ended with %s", got)
				}
			}
		})
		if got := h.Stats().OutboxBytes; got > 512<<10 {
			t.Errorf("%d bytes wait", got)
		}
	})
}

// TestThePartialBudget has clients hold most of a message each, far below the limits: those whose is large are closed
// until half of the budget is free, those whose is small are not.
func TestThePartialBudget(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		const small, large, kept = 5, 20, 4 // of 64 KiB in half the budget
		ends := make(chan ws.Status, small+large+1)
		h := budgetHub(ends, -1, 512<<10)
		address := on.serve(t, h)
		var closed int
		beside(t, address, func() {
			for range small {
				_ = wsxtest.Dial(t, address).Frame(false, opText, []byte("begun"))
			}
			for range large {
				c := wsxtest.Dial(t, address)
				_ = c.Frame(false, opText, make([]byte, 40_000))
				go func() { _, _ = c.Read() }()
			}
			for ; closed < large-kept+1; closed++ { // the small ones take some of it
				if got := <-ends; got != ws.StatusTryAgainLater {
					t.Errorf("one that keeps much ended with %s", got)
				}
			}
		})
		if got := h.Stats().PartialBytes; got == 0 || got > 512<<10/2 {
			t.Errorf("%d bytes are kept", got)
		}
		if got := h.Len(); got < small+large-closed {
			t.Errorf("%d are left", got)
		}
	})
}

// TestTheOutboxBudgetSheds has clients that do not read, under policies that drop, far below the limits of each: what
// waits for them is dropped before the budget is used up, and nobody is closed for it.
func TestTheOutboxBudgetSheds(t *testing.T) {
	for name, policy := range map[string]hub.Policy{"DropOldest": hub.DropOldest, "DropNewest": hub.DropNewest} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, on transport) { testSheds(t, on, policy) })
		})
	}
}

func testSheds(t *testing.T, on transport, policy hub.Policy) {
	const clients, budget = 6, 512 << 10
	ends := make(chan ws.Status, clients+1)
	h := budgetHub(ends, budget, -1)
	address := on.serve(t, h)
	var all []*wsxtest.Client
	for range clients {
		c := deaf(t, address)
		said(t, c, "here")
		all = append(all, c)
	}
	slow := slices.Collect(h.Conns())
	for _, c := range slow {
		if err := c.SendText("first"); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the sockets have it", func() bool { return h.Stats().OutboxBytes == 0 })
	beside(t, address, func() {
		var since time.Time // when the first one was dropped
		for n := 0; since.IsZero() || time.Since(since) < 500*time.Millisecond; n++ {
			if since.IsZero() && h.Stats().OutboxDropped > 0 {
				since = time.Now()
			}
			for _, c := range slow { // to each by itself, so that nothing is shared
				if err := c.Target().With(policy).SendText(fmt.Sprint(n, ".", strings.Repeat("x", 4<<10))); err != nil {
					t.Errorf("message %d: %v, ended with %v", n, err, <-ends)
					return
				}
			}
			if got := h.Stats().OutboxBytes; got > budget {
				t.Fatalf("%d bytes wait", got)
			}
		}
	})
	if s := h.Stats(); s.OutboxDropped == 0 || s.Unsent > 0 {
		t.Errorf("%d dropped, %d unsent", s.OutboxDropped, s.Unsent)
	}
	for _, c := range all {
		if m, err := c.Read(); err != nil || string(m.Data) != "first" {
			t.Errorf("the first message is %.9q, %v", m.Data, err)
		}
	}
	if len(ends) > 1 { // the neighbour's
		t.Errorf("%d were closed", len(ends))
	}
}
