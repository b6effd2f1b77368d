package wsx_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// whom a message is sent to.
const (
	toTalker = iota // c.Send
	toRoom          // c.To(room).Send
	toAll           // h.All().Send
)

// reached says who is reached by which.
var reached = map[string]func(whom int) bool{
	"talker":   func(int) bool { return true },
	"roommate": func(whom int) bool { return whom != toTalker },
	"outsider": func(whom int) bool { return whom == toAll },
}

// talk sends a message for each entry of whom, from one goroutine.
func talk(t *testing.T, h *hub.Hub, c *hub.Conn, whom []int) {
	for i, w := range whom {
		m := hub.Message{Type: 1, Data: []byte(numbered(i))}
		var err error
		switch w {
		case toTalker:
			err = c.Send(m)
		case toRoom:
			err = c.To("room").Send(m)
		default:
			err = h.All().Send(m)
		}
		if err != nil {
			t.Errorf("message %d: %v", i, err)
			return
		}
	}
}

// talkHub returns a hub that talks when it is told to.
func talkHub(t *testing.T, whom []int) (h *hub.Hub) {
	h = echoHub(hub.Config{
		OnOpen: func(c *hub.Conn) error {
			if c.Query("as") == "outsider" {
				return nil
			}
			return c.Join("room")
		},
		OnMessage: func(c *hub.Conn, m hub.Message) error {
			if m.Text() != "go" {
				return c.Send(m)
			}
			talk(t, h, c, whom)
			return nil
		},
	})
	return h
}

// TestALoopOfMessages has a handler send 10,000 messages in a loop to clients that read: none is lost, none is cut, and
// they arrive as they were sent.
func TestALoopOfMessages(t *testing.T) {
	const loop = 10_000
	random := rand.New(rand.NewPCG(3, 14))
	for name, next := range map[string]func(i int) int{
		"to a connection": func(int) int { return toTalker },
		"to a room":       func(int) int { return toRoom },
		"to all":          func(int) int { return toAll },
		"to each in turn": func(i int) int { return i % 3 },
		"mixed":           func(int) int { return random.IntN(3) },
		"in long runs":    func(i int) int { return i / 300 % 3 },
	} {
		whom := make([]int, loop)
		for i := range whom {
			whom[i] = next(i)
		}
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, on transport) { testLoop(t, on, whom) })
		})
	}
}

func testLoop(t *testing.T, on transport, whom []int) {
	h := talkHub(t, whom)
	address := on.serve(t, h)
	clients := make(map[string]*wsxtest.Client)
	for name := range reached {
		clients[name] = wsxtest.Dial(t, address+"?as="+name)
		said(t, clients[name], "hello") // so that it has arrived
	}
	var reading sync.WaitGroup
	for name, reaches := range reached {
		var numbers []int
		for i, w := range whom {
			if reaches(w) {
				numbers = append(numbers, i)
			}
		}
		reading.Go(func() {
			if err := readNumbered(clients[name], numbers); err != nil {
				t.Errorf("the %s: %v", name, err)
			}
		})
	}
	clients["talker"].SendText("go")
	reading.Wait()
	for name, c := range clients {
		c.SendClose(1000, "")
		if m, err := c.Read(); string(m.Data) != "" || err == nil {
			t.Errorf("the %s got %.20q at last, want a close frame", name, m.Data)
		}
		_ = c.Conn().Close()
	}
	awaitOver(t, h)
	if s := h.Stats(); s.Unsent != 0 {
		t.Errorf("%d unsent", s.Unsent)
	}
}
