package hub_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// broadcaster numbers what it sends to a target.
type broadcaster struct {
	over sync.WaitGroup

	mu          sync.Mutex
	moved       sync.Cond
	begun, done int
	stop        bool
}

func broadcast(t *testing.T, to hub.Target) *broadcaster {
	b := &broadcaster{}
	b.moved.L = &b.mu
	b.over.Go(func() {
		for b.next() {
			if err := to.SendText(strconv.Itoa(b.begun)); err != nil {
				t.Errorf("broadcast: %v", err)
			}
		}
	})
	return b
}

// next counts the last broadcast as done and one more as begun.
func (b *broadcaster) next() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = b.begun
	b.begun++
	b.moved.Broadcast()
	return !b.stop
}

// now returns the number of the last broadcast that has begun, and of the last one that is done.
func (b *broadcaster) now() (begun, done int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.begun, b.done
}

// await waits until n more broadcasts are done, and returns how many that are in all.
func (b *broadcaster) await(n int) (done int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for n += b.done; b.done < n; {
		b.moved.Wait()
	}
	return b.done
}

func (b *broadcaster) end() {
	b.mu.Lock()
	b.stop = true
	b.mu.Unlock()
	b.over.Wait()
}

// TestReceiversAreFixedWhenSent has connections join and leave under a stream of broadcasts. Each notes beside them, on
// the same connection, which broadcasts were over before Join, begun before it returned, over before Leave, and begun
// before that returned. With a small outbox most broadcasts have to wait for their receivers. In the bubble nobody is
// slow.
func TestReceiversAreFixedWhenSent(t *testing.T) {
	for _, outbox := range []int{256, 4} {
		t.Run(fmt.Sprintf("outbox of %d", outbox), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t, hub.Config{OnMessage: nothing, OutboxMessages: outbox, OutboxBytes: -1})
				b := broadcast(t, h.To("room"))
				var wg sync.WaitGroup
				for range 6 {
					s := connect(t, h)
					wg.Go(func() { checkStays(t, s) })
					wg.Go(func() {
						for range 50 {
							stay(t, s.handle, b)
						}
						if err := s.handle.SendText("end"); err != nil {
							t.Errorf("the end: %v", err)
						}
					})
				}
				wg.Wait()
				b.end()
			})
		})
	}
}

// stay joins and leaves once.
func stay(t *testing.T, c *hub.Conn, b *broadcaster) {
	note := func(what string, n int) {
		if err := c.SendText(fmt.Sprint(what, " ", n)); err != nil {
			t.Errorf("noting %q: %v", what, err)
		}
	}
	_, done := b.now()
	note("before", done)
	if err := c.Join("room"); err != nil {
		t.Errorf("Join: %v", err)
	}
	begun, _ := b.now()
	note("joined", begun)
	done = b.await(5)
	if !c.Leave("room") {
		t.Error("Leave: was no member")
	}
	begun, _ = b.now()
	note("over", done)
	note("left", begun)
}

// checkStays reads what stay caused.
func checkStays(t *testing.T, s *session) {
	var before, joined, first, last int
	member := false
	for {
		m, err := s.Read()
		if err != nil {
			t.Errorf("reading: %v", err)
			return
		}
		word, number, noted := strings.Cut(m.Text(), " ")
		n, _ := strconv.Atoi(number)
		switch {
		case word == "end":
			return
		case word == "before":
			before, first, last, member = n, 0, 0, true
		case word == "joined":
			joined = n
		case word == "over":
			if first > joined+1 || last < n {
				t.Errorf("got %d to %d, want all from %d to %d", first, last, joined+1, n)
			}
		case word == "left":
			if last > n {
				t.Errorf("got %d, but Leave had returned after %d", last, n)
			}
			member = false
		case noted:
			t.Errorf("unexpected %q", m.Text())
		default:
			n, _ = strconv.Atoi(word)
			switch {
			case !member:
				t.Errorf("got %d without being a member", n)
			case first == 0:
				if first = n; n <= before {
					t.Errorf("got %d, which was over before Join at %d", n, before)
				}
			case n != last+1:
				t.Errorf("got %d after %d", n, last)
			}
			last = n
		}
	}
}

// TestLeavingWhileABroadcastWaits has a broadcast wait for the outbox of a member that leaves, and comes back: it gets
// what was sent while it was a member, once.
func TestLeavingWhileABroadcastWaits(t *testing.T) {
	for name, act := range map[string]func(c *hub.Conn){
		"stays":                  func(*hub.Conn) {},
		"leaves":                 func(c *hub.Conn) { c.Leave("room") },
		"leaves and joins again": func(c *hub.Conn) { c.Leave("room"); _ = c.Join("room") },
		"leaves another room":    func(c *hub.Conn) { c.Leave("other") },
		"joins another room":     func(c *hub.Conn) { _ = c.Join("third") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t, hub.Config{OnMessage: nothing, OutboxMessages: 2})
				s := connect(t, h)
				must(t, s.handle.Join("room"))
				must(t, s.handle.Join("other"))
				must(t, s.handle.SendText("1"))
				must(t, s.handle.SendText("2"))
				go func() { _ = h.To("room").SendText("broadcast") }()
				synctest.Wait() // it waits for room
				act(s.handle)
				want(t, "message", s.ReadText(), "1")
				want(t, "message", s.ReadText(), "2")
				synctest.Wait()
				must(t, s.handle.SendText("end"))
				want(t, "message", s.ReadText(), "broadcast")
				want(t, "message", s.ReadText(), "end")
			})
		})
	}
}

// TestOnOpenSendsFirst opens connections under a stream of broadcasts to all and to their subject.
func TestOnOpenSendsFirst(t *testing.T) { synctest.Test(t, testOnOpenSendsFirst) }

func testOnOpenSendsFirst(t *testing.T) {
	h := newHub(t, hub.Config{
		OnMessage: nothing,
		OnOpen: func(c *hub.Conn) error {
			for _, v := range []string{"welcome", "to", "you"} {
				if err := c.SendText(v); err != nil {
					return err
				}
			}
			return nil
		},
	})
	toAll, toUser := broadcast(t, h.All()), broadcast(t, h.User("ann"))
	for range 100 {
		s := begin(t, h, asSubject("ann"))
		for _, v := range []string{"welcome", "to", "you"} {
			want(t, "message", s.ReadText(), v)
		}
		_ = s.Conn().Close()
		s.gone()
	}
	toAll.end()
	toUser.end()
}

// TestBroadcastWhileOpening checks what a connection is to the others while its OnOpen runs: it is counted and can be
// kicked, and gets what is sent to the rooms it has joined.
func TestBroadcastWhileOpening(t *testing.T) {
	opening, opened := make(chan *hub.Conn), make(chan struct{})
	h := newHub(t, hub.Config{
		OnMessage: nothing,
		OnOpen: func(c *hub.Conn) error {
			if err := c.Join("room"); err != nil {
				return err
			}
			opening <- c
			<-opened
			return nil
		},
	})
	s := begin(t, h, asSubject("ann"))
	c := await(t, opening, "OnOpen")
	want(t, "connections", h.Len(), 1)
	if found, ok := h.Conn(c.ID()); !ok || found != c {
		t.Error("the hub does not find the connection")
	}
	must(t, h.All().SendText("to all"))
	must(t, h.To("room").SendText("to the room"))
	must(t, h.User("ann").Close(ws.StatusReplaced, ""))
	want(t, "state", c.State(), hub.StateClosing)
	close(opened)
	want(t, "message", s.ReadText(), "to the room")
	s.wantClose(ws.StatusReplaced)
}
