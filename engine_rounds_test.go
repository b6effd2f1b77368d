package wsx_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// audience is a connection, and which rooms it is in.
type audience struct {
	conn   *hub.Conn
	client *wsxtest.Client
	even   bool // in the room "even"
	third  bool // in the room "third"
}

// gather connects n clients: the even ones are in one room, each third one is in another.
func gather(t *testing.T, on transport, h *hub.Hub, conns <-chan *hub.Conn, n int) []*audience {
	t.Helper()
	address := on.serve(t, h)
	all := make([]*audience, n)
	for i := range all {
		a := &audience{client: wsxtest.Dial(t, address), even: i%2 == 0, third: i%3 == 0}
		a.conn = <-conns
		said(t, a.client, "hello") // so that it has arrived
		if a.even {
			a.join(t, "even")
		}
		if a.third {
			a.join(t, "third")
		}
		all[i] = a
	}
	return all
}

func (a *audience) join(t *testing.T, room string) {
	t.Helper()
	if err := a.conn.Join(room); err != nil {
		t.Fatal(err)
	}
}

// patient is a configuration under which no client is too slow, however slow the machine: here it is about order.
func patient(conns chan<- *hub.Conn) hub.Config {
	return hub.Config{
		Rate: -1, OutboxMessages: 1 << 20, OutboxBytes: 64 << 20,
		OnOpen: func(c *hub.Conn) error { conns <- c; return nil },
	}
}

// audible are the ways to send a message by its number, and the rule of who receives it.
var audible = []struct {
	send  func(h *hub.Hub, all []*audience, n int, text string) error
	hears func(all []*audience, n, who int) bool
}{
	{
		func(h *hub.Hub, _ []*audience, _ int, text string) error { return h.All().SendText(text) },
		func([]*audience, int, int) bool { return true },
	},
	{
		func(h *hub.Hub, _ []*audience, _ int, text string) error { return h.To("even").SendText(text) },
		func(all []*audience, _, who int) bool { return all[who].even },
	},
	{
		func(h *hub.Hub, _ []*audience, _ int, text string) error { return h.To("even", "third").SendText(text) },
		func(all []*audience, _, who int) bool { return all[who].even || all[who].third },
	},
	{
		func(h *hub.Hub, all []*audience, n int, text string) error {
			return h.All().Except(all[n%len(all)].conn, all[n*7%len(all)].conn).SendText(text)
		},
		func(all []*audience, n, who int) bool { return who != n%len(all) && who != n*7%len(all) },
	},
	{
		func(h *hub.Hub, all []*audience, n int, text string) error {
			return h.To("third", "even").Except(all[n%len(all)].conn).SendText(text)
		},
		func(all []*audience, n, who int) bool { return who != n%len(all) && (all[who].even || all[who].third) },
	},
	{
		func(_ *hub.Hub, all []*audience, n int, text string) error {
			return all[n%len(all)].conn.SendText(text)
		},
		func(all []*audience, n, who int) bool { return who == n%len(all) },
	},
	{ // from a member, where there is one
		func(_ *hub.Hub, all []*audience, n int, text string) error {
			if from := all[n%len(all)]; from.third {
				return from.conn.To("third").Except(from.conn).SendText(text)
			}
			return nil
		},
		func(all []*audience, n, who int) bool {
			return all[n%len(all)].third && all[who].third && who != n%len(all)
		},
	},
}

// TestRounds has several goroutines send by all ways at once. Each client gets exactly what is for it, one copy each,
// and what one goroutine has sent in that order.
func TestRounds(t *testing.T) {
	for name, way := range map[string]func(sender, n int) int{
		"each way in turn":  func(sender, n int) int { return n + sender },
		"all ways in runs":  func(sender, n int) int { return n/20 + sender },
		"mostly to all":     func(_, n int) int { return []int{0, 0, 0, 3}[n%4] },
		"direct and rounds": func(_, n int) int { return []int{5, 0, 5, 1}[n%4] },
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, on transport) { testRounds(t, on, way) })
		})
	}
}

func testRounds(t *testing.T, on transport, way func(sender, n int) int) {
	const clients, senders = 12, 4
	messages := most(4000, 1000)
	conns := make(chan *hub.Conn, clients)
	h := echoHub(patient(conns))
	all := gather(t, on, h, conns, clients)
	var reading, sending sync.WaitGroup
	for who, a := range all {
		reading.Go(func() {
			hears := func(sender, n int) bool {
				return audible[way(sender, n)%len(audible)].hears(all, n, who)
			}
			if err := hearRounds(a.client, senders, messages, hears); err != nil {
				t.Errorf("client %d: %v", who, err)
			}
		})
	}
	for sender := range senders {
		sending.Go(func() {
			for n := range messages {
				text := fmt.Sprintf("%d:%s", sender, numbered(n))
				if err := audible[way(sender, n)%len(audible)].send(h, all, n, text); err != nil {
					t.Errorf("message %d of sender %d: %v", n, sender, err)
				}
			}
		})
	}
	sending.Wait()
	if err := h.All().SendText("over"); err != nil {
		t.Error(err)
	}
	reading.Wait()
	for _, a := range all {
		a.client.Close()
	}
	awaitOver(t, h)
	if s := h.Stats(); s.Unsent != 0 {
		t.Errorf("%d unsent", s.Unsent)
	}
}

// hearRounds reads up to "over", and returns what is wrong with what came before.
func hearRounds(c *wsxtest.Client, senders, messages int, hears func(sender, n int) bool) error {
	next := make([]int, senders)
	skip := func(sender int) {
		for next[sender] < messages && !hears(sender, next[sender]) {
			next[sender]++
		}
	}
	for {
		m, err := c.Read()
		if err != nil {
			return fmt.Errorf("after %v: %w", next, err)
		}
		if string(m.Data) == "over" {
			break
		}
		var sender, n int
		if _, err := fmt.Sscanf(string(m.Data), "%d:%d.", &sender, &n); err != nil || sender >= senders {
			return fmt.Errorf("got %q", m.Data)
		}
		skip(sender)
		if want := fmt.Sprintf("%d:%s", sender, numbered(next[sender])); string(m.Data) != want {
			return fmt.Errorf("got %q, want %q", m.Data, want)
		}
		next[sender]++
	}
	for sender := range senders {
		if skip(sender); next[sender] != messages {
			return fmt.Errorf("message %d of sender %d is missing", next[sender], sender)
		}
	}
	return nil
}
