package hub_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// TestPolicies sends under each policy to a peer that reads nothing until all is sent, in each way that there is.
func TestPolicies(t *testing.T) {
	for _, row := range []struct {
		name   string
		policy func(key string) hub.Policy
		got    []string
		stats  [2]uint64 // dropped, conflated
		tally  hub.Tally
	}{
		{"DropNewest", only(hub.DropNewest), []string{"a1", "b1", "c1"}, [2]uint64{4, 0}, hub.Tally{Queued: 3, Dropped: 4}},
		{"DropOldest", only(hub.DropOldest), []string{"a1", "b3", "c2"}, [2]uint64{4, 0}, hub.Tally{Queued: 7, Displaced: 4}},
		{"Conflate", hub.Conflate, []string{"a1", "b3", "c2"}, [2]uint64{0, 3}, hub.Tally{Queued: 6, Displaced: 3}},
	} {
		for name, target := range map[string]func(*session) hub.Target{
			"a room":        func(s *session) hub.Target { return s.hub.To("x") },
			"two rooms":     func(s *session) hub.Target { return s.hub.To("x", "y") },
			"some":          func(s *session) hub.Target { return s.hub.All().Where(func(*hub.Conn) bool { return true }) },
			"a connection":  func(s *session) hub.Target { return s.handle.Target() },
			"the hub's own": nil,
		} {
			t.Run(row.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cfg := hub.Config{OnMessage: nothing, OutboxMessages: 3}
					if target == nil && row.name == "Conflate" {
						return // it has one key there
					}
					if target == nil {
						cfg.Policy = row.policy("")
					}
					s := connect(t, newHub(t, cfg))
					must(t, s.handle.Join("x"))
					must(t, s.handle.Join("y"))
					var tally hub.Tally
					for i, text := range []string{"a1", "b1", "c1", "b2", "d1", "b3", "c2"} {
						if row.name == "Conflate" && text == "d1" {
							continue // a key too many
						}
						to := s.handle.Target().Tally(&tally)
						if target != nil {
							to = target(s).With(row.policy(text[:1])).Tally(&tally)
						}
						must(t, to.SendText(text))
						if i == 0 {
							synctest.Wait() // the socket has it
						}
					}
					want(t, "tally", tally, row.tally)
					stats := s.hub.Stats()
					want(t, "stats", [2]uint64{stats.OutboxDropped, stats.Conflated}, row.stats)
					for _, text := range row.got {
						want(t, "message", s.ReadText(), text)
					}
					must(t, s.handle.SendText("end"))
					want(t, "the last", s.ReadText(), "end")
				})
			})
		}
	}
}

func only(p hub.Policy) func(string) hub.Policy { return func(string) hub.Policy { return p } }

// TestTooManyKeys closes a receiver for which the latest of each key cannot be kept.
func TestTooManyKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing, OutboxMessages: 10})
		s := connect(t, h)
		for i := range 100 {
			must(t, h.All().With(hub.Conflate(fmt.Sprint(i))).SendText("x"))
			synctest.Wait()
		}
		want(t, "close frame", s.ReadClose().Status, ws.StatusSlowConsumer)
	})
}

// TestTallyOfMany counts receivers, those that are too slow apart.
func TestTallyOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing, OutboxMessages: 4, Policy: hub.DropNewest})
		for range 5 {
			connect(t, h).swallow()
		}
		for range 3 {
			connect(t, h) // reads nothing
		}
		var tally hub.Tally
		for range 10 {
			must(t, h.All().Tally(&tally).SendText("x"))
			synctest.Wait()
		}
		want(t, "tally", tally, hub.Tally{Queued: 5*10 + 3*4, Dropped: 3 * 6})
		stats := h.Stats()
		want(t, "out", stats.MessagesOut, 80)
		want(t, "dropped", stats.OutboxDropped, 18)
	})
}

// TestPingsAreNotDropped sends control frames while a policy drops.
func TestPingsAreNotDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing, OutboxMessages: 1, Policy: hub.DropOldest})
		s := connect(t, h)
		must(t, s.handle.SendText("first"))
		synctest.Wait()
		for i := range 20 {
			must(t, s.handle.SendText("x"))
			must(t, s.handle.Ping([]byte{byte(i)}))
		}
		for i := -1; i < 20; {
			f, err := s.ReadFrame()
			must(t, err)
			if i >= 0 {
				want(t, "ping", string(f.Payload), string([]byte{byte(i)}))
			}
			i++
		}
	})
}

// TestOnDrain: it is called when an outbox that was full is empty, and not when one has only waited.
func TestOnDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var drained list[string]
		h := newHub(t, hub.Config{
			OnMessage: nothing, OutboxMessages: 2, Policy: hub.DropNewest,
			OnDrain: func(c *hub.Conn) { drained.add(c.ID()) },
		})
		s := connect(t, h)
		must(t, s.handle.SendText("x"))
		s.ReadText()
		synctest.Wait()
		want(t, "calls after one message", len(drained.all()), 0)
		for range 5 {
			must(t, s.handle.SendText("x"))
		}
		s.ReadText()
		synctest.Wait()
		want(t, "calls while one waits", len(drained.all()), 0)
		s.ReadText()
		synctest.Wait()
		want(t, "calls", len(drained.all()), 1)
		want(t, "who", drained.all()[0], s.handle.ID())
	})
}

// TestKickingManyTakesItsTime closes in waves, and tells everybody.
func TestKickingManyTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing})
		var told []<-chan ws.Status
		for range 300 {
			s := connect(t, h)
			must(t, s.handle.Join("x"))
			told = append(told, s.live())
		}
		begun := time.Now()
		must(t, h.To("x", "x").Close(ws.StatusKicked, "out"))
		if took := time.Since(begun); took == 0 || took > 40*time.Millisecond {
			t.Errorf("it took %v, want up to four pauses of 10 ms", took)
		}
		for _, status := range told {
			want(t, "status", <-status, ws.StatusKicked)
		}
	})
}

// TestPoliciesAddUp: with senders of every policy, and slow readers, every message is
// received, or counted.
func TestPoliciesAddUp(t *testing.T) {
	for name, connect := range map[string]func(*testing.T, *hub.Hub) *session{
		"in memory": func(t *testing.T, h *hub.Hub) *session { return connect(t, h) }, "TCP": connectTCP,
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, hub.Config{OnMessage: nothing, OutboxMessages: 16, CloseTimeout: time.Minute})
			received, sent := make(chan int), make(chan struct{})
			for i := range 8 {
				s := connect(t, h)
				go func() {
					if i == 0 {
						<-sent
					}
					received <- s.countAll(i)
				}()
			}
			var senders sync.WaitGroup
			for i, p := range []hub.Policy{hub.DropNewest, hub.DropOldest, hub.Conflate("a"), hub.Conflate("b")} {
				senders.Go(func() {
					for n := range 2000 {
						to := h.All().With(p)
						if n%3 == 0 {
							to = to.Where(func(c *hub.Conn) bool { return c.State() == hub.StateOpen })
						}
						if err := to.SendText(strings.Repeat("x", 10+i*n)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			senders.Wait()
			for last := (hub.Tally{}); last.Dropped == 0; { // the sockets may have had room for all that came before
				must(t, h.All().With(hub.DropNewest).Tally(&last).SendBinary(make([]byte, 16<<10)))
			}
			close(sent)
			var last hub.Tally
			must(t, h.All().Tally(&last).SendText("")) // what stands before it has been counted
			must(t, h.All().Close(ws.StatusNormalClosure, ""))
			sum := uint64(0)
			for range 8 {
				sum += uint64(<-received)
			}
			for c := range h.Conns() {
				<-c.Done()
			}
			s := h.Stats()
			if s.OutboxDropped == 0 || s.Conflated == 0 {
				t.Errorf("nobody was slow: %+v", s)
			}
			if counted := sum + s.OutboxDropped + s.Conflated + s.Unsent; counted != s.MessagesOut {
				t.Errorf("%d received, %d dropped, %d conflated, %d unsent of %d",
					sum, s.OutboxDropped, s.Conflated, s.Unsent, s.MessagesOut)
			}
		})
	}
}

// countAll reads to the end, now and then slowly.
func (s *session) countAll(seed int) (n int) {
	for {
		if _, err := s.Read(); err != nil {
			return n
		}
		if n++; n%(50+seed) == 0 {
			for range 2000 {
				runtime.Gosched()
			}
		}
	}
}
