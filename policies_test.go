package wsx_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

const (
	backlog  = 600 // messages of some KiB to somebody who does not read: more than the sockets hold
	seriesOf = 7   // keys
)

// slowWays are the policies that drop, by what a receiver has that did not read while all was sent.
var slowWays = map[string]struct {
	policy func(n int) hub.Policy // of message n
	check  func(t *testing.T, got, queued []int)
}{
	"DropNewest": {func(int) hub.Policy { return hub.DropNewest }, func(t *testing.T, got, queued []int) {
		if !slices.Equal(got, queued) {
			t.Errorf("got %v, want what was queued: %v", got, queued)
		}
	}},
	"DropOldest": {func(int) hub.Policy { return hub.DropOldest }, func(t *testing.T, got, _ []int) {
		tail := got[len(got)-8:]
		for i, n := range tail {
			if n != backlog-len(tail)+i {
				t.Fatalf("the last ones are %v, want the newest", tail)
			}
		}
	}},
	"Conflate": {func(n int) hub.Policy { return hub.Conflate(strconv.Itoa(n % seriesOf)) }, func(t *testing.T, got, _ []int) {
		latest := make(map[int]int)
		for _, n := range got {
			latest[n%seriesOf] = n
		}
		for n := backlog - seriesOf; n < backlog; n++ {
			if latest[n%seriesOf] != n {
				t.Errorf("the latest of series %d is %d, want %d", n%seriesOf, latest[n%seriesOf], n)
			}
		}
	}},
}

// TestPoliciesOverSockets has a receiver not read while all is sent, under each policy, to each kind of target. Then it
// reads: it gets what its policy says, in order, is told from everything that was dropped, and goes on.
func TestPoliciesOverSockets(t *testing.T) {
	for name, way := range slowWays {
		for to, at := range map[string]func(h *hub.Hub, c *hub.Conn) hub.Target{
			"all":          func(h *hub.Hub, _ *hub.Conn) hub.Target { return h.All() },
			"a room":       func(h *hub.Hub, _ *hub.Conn) hub.Target { return h.To("x") },
			"rooms":        func(h *hub.Hub, _ *hub.Conn) hub.Target { return h.To("x", "y") },
			"some":         func(h *hub.Hub, _ *hub.Conn) hub.Target { return h.All().Where(func(*hub.Conn) bool { return true }) },
			"a connection": func(_ *hub.Hub, c *hub.Conn) hub.Target { return c.Target() },
			"the hub's":    nil, // own policy, and all
		} {
			if at == nil && name == "Conflate" {
				continue // which has one key there
			}
			t.Run(name+"/"+to, func(t *testing.T) {
				onEach(t, func(t *testing.T, on transport) { testPolicy(t, on, way.policy, at, way.check) })
			})
		}
	}
}

func testPolicy(t *testing.T, on transport, policy func(int) hub.Policy, at func(*hub.Hub, *hub.Conn) hub.Target, check func(t *testing.T, got, queued []int)) {
	var drained atomic.Bool
	cfg := hub.Config{
		OutboxMessages: 20, WriteDeadline: time.Minute, PingInterval: -1,
		OnOpen: func(c *hub.Conn) error {
			if err := c.Join("x"); err != nil {
				return err
			}
			return c.Join("y")
		},
		OnDrain: func(*hub.Conn) { drained.Store(true) },
	}
	if at == nil {
		cfg.Policy = policy(0)
	}
	h := echoHub(cfg)
	client, c := narrowly(t, on, h)
	var tally hub.Tally
	var queued []int
	for n := range backlog {
		begun, before := time.Now(), tally.Queued
		text := strconv.Itoa(n) + "." + strings.Repeat("x", 2<<10)
		to := h.All()
		if at != nil {
			to = at(h, c).With(policy(n))
		}
		if err := to.Tally(&tally).SendText(text); err != nil {
			t.Fatalf("message %d: %v", n, err)
		}
		if tally.Queued > before {
			queued = append(queued, n)
		}
		if took := time.Since(begun); took > 2*time.Second { // for a machine that is busy
			t.Errorf("message %d took %s", n, took)
		}
	}
	s := h.Stats()
	if s.OutboxDropped+s.Conflated == 0 {
		t.Fatal("nothing was dropped")
	}
	if got := uint64(tally.Dropped + tally.Displaced); got != s.OutboxDropped+s.Conflated || tally.Queued+tally.Dropped != backlog {
		t.Errorf("the tally is %+v of %d; the hub dropped %d and replaced %d", tally, backlog, s.OutboxDropped, s.Conflated)
	}
	got := numbersFrom(t, client, backlog-tally.Dropped-tally.Displaced)
	if !slices.IsSorted(got) {
		t.Error("it is not in order")
	}
	check(t, got, queued)
	said(t, client, "and on")
	if s.OutboxDropped > 0 { // so it was full
		eventually(t, "OnDrain is called", drained.Load)
	}
}

// narrowly connects a client whose server's socket holds little, and returns its handle.
func narrowly(t *testing.T, on transport, h *hub.Hub) (*wsxtest.Client, *hub.Conn) {
	t.Helper()
	client := wsxtest.Dial(t, on.narrow().serve(t, h))
	said(t, client, "here")
	for c := range h.Conns() {
		return client, c
	}
	t.Fatal("there is no connection")
	return nil, nil
}

// numbersFrom reads so many messages, and returns what stands in front of each.
func numbersFrom(t *testing.T, c *wsxtest.Client, n int) (got []int) {
	t.Helper()
	for range n {
		m, err := c.Read()
		if err != nil {
			t.Fatalf("after %d of %d messages: %v", len(got), n, err)
		}
		head, _, _ := strings.Cut(string(m.Data), ".")
		i, err := strconv.Atoi(head)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, i)
	}
	return got
}

// TestThePolicyClose has one of a room stop reading: it is closed with 4006, once it counts as slow nobody waits for
// it, and the others get everything.
func TestThePolicyClose(t *testing.T) {
	onEach(t, func(t *testing.T, on transport) {
		ends := make(chan ws.Status, 4)
		h := echoHub(hub.Config{
			OutboxMessages: 20, OutboxBytes: 64 << 10, PingInterval: -1, CloseTimeout: 200 * time.Millisecond,
			OnOpen:  func(c *hub.Conn) error { return c.Join("x") },
			OnClose: func(_ *hub.Conn, err error) { ends <- ws.StatusOf(err) },
		})
		address := on.narrow().serve(t, h)
		deaf(t, address)
		reader := wsxtest.Dial(t, address)
		said(t, reader, "here")
		sent := make(chan int)
		go func() {
			defer close(sent)
			for n := 0; len(ends) == 0; n++ {
				if err := h.To("x").SendText(fmt.Sprint(n, ".", strings.Repeat("x", 8<<10))); err != nil {
					t.Error(err)
					return
				}
				sent <- n
			}
		}()
		for n := range sent {
			if got := numbersFrom(t, reader, 1); got[0] != n {
				t.Fatalf("the other one got %d, want %d", got[0], n)
			}
		}
		if got := <-ends; got != ws.StatusSlowConsumer {
			t.Errorf("it ended with %v", got)
		}
		said(t, reader, "and on")
	})
}
