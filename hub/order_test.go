package hub_test

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// journal is what the callbacks of one connection saw. It has no lock: they come one at a time.
type journal struct {
	inside atomic.Bool
	events []string
}

var journals = hub.NewKey[*journal]("journal")

// write notes an event, and reports one that happens during another.
func (j *journal) write(t *testing.T, event string) {
	if !j.inside.CompareAndSwap(false, true) {
		t.Errorf("%s while another callback of the connection runs", event)
	}
	j.events = append(j.events, event)
	for range 20 {
		_ = fmt.Sprint(j.events[len(j.events)-1]) // takes a little time
	}
	j.inside.Store(false)
}

// TestCallbacksComeOneAtATimeAndInOrder sends a mix to several connections at once.
func TestCallbacksComeOneAtATimeAndInOrder(t *testing.T) {
	of := func(c *hub.Conn) *journal { j, _ := journals.Get(c); return j }
	h := newHub(t, hub.Config{
		Rate: -1, ControlRate: -1,
		OnOpen: func(c *hub.Conn) error {
			journals.Set(c, &journal{})
			of(c).write(t, "open")
			return nil
		},
		OnMessage: func(c *hub.Conn, m hub.Message) error { of(c).write(t, m.Text()); return fmt.Errorf("e%s", m.Text()) },
		OnError:   func(c *hub.Conn, err error) { of(c).write(t, err.Error()) },
		OnPing:    func(c *hub.Conn, p []byte) { of(c).write(t, string(p)) },
		OnPong:    func(c *hub.Conn, p []byte) { of(c).write(t, string(p)) },
		OnClose:   func(c *hub.Conn, _ error) { of(c).write(t, "close") },

		ErrorBudget: -1,
	})
	var wg sync.WaitGroup
	for range 8 {
		s := connect(t, h)
		wg.Go(func() {
			s.swallow()
			expected := []string{"open"}
			for i := range 100 {
				n := strconv.Itoa(i)
				op := []wire.Opcode{wireText, wirePing, wirePong}[i%3]
				if expected = append(expected, n); i%3 == 0 {
					expected = append(expected, "e"+n)
				}
				_ = s.Frame(true, op, []byte(n))
			}
			_ = s.Frame(true, wireClose, nil)
			<-s.over
			if got := of(s.handle).events; !slices.Equal(got, append(expected, "close")) {
				t.Errorf("got %v, want %v", got, expected)
			}
		})
	}
	wg.Wait()
}

// TestCallbacksOfDifferentConnectionsRunAtOnce has one handler wait for the other.
func TestCallbacksOfDifferentConnectionsRunAtOnce(t *testing.T) {
	met := make(chan struct{})
	h := newHub(t, hub.Config{OnMessage: func(*hub.Conn, hub.Message) error {
		select {
		case met <- struct{}{}:
		case <-met:
		case <-time.After(patience):
			t.Error("the other handler did not run")
		}
		return nil
	}})
	a, b := connect(t, h), connect(t, h)
	a.SendText("x")
	b.SendText("x")
	a.sync()
	b.sync()
}

// TestABlockingHandlerHoldsOnlyItsOwnConnection blocks each callback of one connection while another is served.
func TestABlockingHandlerHoldsOnlyItsOwnConnection(t *testing.T) {
	for _, callback := range []string{"OnOpen", "OnMessage", "OnPing", "OnPong", "OnError", "OnClose"} {
		t.Run(callback, func(t *testing.T) {
			blocked, release := make(chan struct{}), make(chan struct{})
			block := func(c *hub.Conn, at string) {
				if c.Subject() == "blocked" && at == callback {
					close(blocked)
					<-release
				}
			}
			h := newHub(t, hub.Config{
				OnOpen: func(c *hub.Conn) error { block(c, "OnOpen"); return nil },
				OnMessage: func(c *hub.Conn, m hub.Message) error {
					block(c, "OnMessage")
					if c.Subject() == "blocked" {
						return fmt.Errorf("an error")
					}
					return c.Send(m)
				},
				OnPing:  func(c *hub.Conn, _ []byte) { block(c, "OnPing") },
				OnPong:  func(c *hub.Conn, _ []byte) { block(c, "OnPong") },
				OnError: func(c *hub.Conn, _ error) { block(c, "OnError") },
				OnClose: func(c *hub.Conn, _ error) { block(c, "OnClose") },
			})
			other := connect(t, h)
			s := begin(t, h, asSubject("blocked"))
			hungUp := s.swallow()
			defer func() {
				close(release)
				<-hungUp
			}()
			go func() {
				for _, op := range []wire.Opcode{wirePing, wirePong, wireText, wireClose} {
					_ = s.Frame(true, op, nil)
				}
			}()
			await(t, blocked, callback)
			for i := range 100 {
				v := strconv.Itoa(i)
				other.SendText(v)
				want(t, "echo", other.ReadText(), v)
			}
			must(t, h.All().SendText("to all"))
			want(t, "broadcast", other.ReadText(), "to all")
		})
	}
}

// TestSendsOfOneGoroutineArriveInOrder mixes every way of sending, some of them to both connections.
func TestSendsOfOneGoroutineArriveInOrder(t *testing.T) { synctest.Test(t, testSendsOfOneGoroutine) }

func testSendsOfOneGoroutine(t *testing.T) {
	const n = 2000
	h := newHub(t, hub.Config{OnMessage: nothing, OutboxMessages: 64})
	a, b := connectAs(t, h, "ann"), connectAs(t, h, "bob")
	must(t, a.handle.Join("room"))
	must(t, b.handle.Join("room"))
	big := slices.Repeat([]byte{' '}, 2000) // some frames are shared by reference, some copied
	ways := []func(m hub.Message) error{
		a.handle.Send,
		func(m hub.Message) error { return a.handle.SendText(m.Text()) },
		a.handle.To("room").Send,
		h.All().Send,
		h.To("room").Send,
		h.User("ann").Send,
		h.To("room", "room").Send,
		h.All().Except(b.handle).Send,
	}
	toBoth := map[int]bool{2: true, 3: true, 4: true, 6: true}
	go func() {
		for i := range n {
			m := hub.Message{Type: ws.Text, Data: strconv.AppendInt(nil, int64(i), 10)}
			if i/len(ways)%3 == 1 {
				m.Data = append(m.Data, big...)
			}
			if err := ways[i%len(ways)](m); err != nil {
				t.Errorf("sending %d: %v", i, err)
				return
			}
		}
	}()
	var wg sync.WaitGroup
	for s, gets := range map[*session]func(i int) bool{
		a: func(int) bool { return true },
		b: func(i int) bool { return toBoth[i%len(ways)] },
	} {
		wg.Go(func() {
			for i := range n {
				if !gets(i) {
					continue
				}
				m, err := s.Read()
				if err != nil {
					t.Errorf("%s: %v", s.handle.Subject(), err)
					return
				}
				if got, _ := strconv.Atoi(trimmed(m)); got != i {
					t.Errorf("%s: got %d, want %d", s.handle.Subject(), got, i)
					return
				}
			}
		})
	}
	wg.Wait()
	want(t, "counted", h.Stats().MessagesOut, uint64(n+n*len(toBoth)/len(ways)))
}
