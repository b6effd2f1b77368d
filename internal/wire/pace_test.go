//go:build unix

package wire_test

import (
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestSendingTakesTurns: the kernel may have to find memory for what a socket takes, which takes long. Neither one
// connection that sends much nor many that send something keep others waiting then.
func TestSendingTakesTurns(t *testing.T) {
	t.Run("much", func(t *testing.T) {
		wantTurns(t, func(w *waiter) {
			s := newSlowSocket(t, wire.NewEngine(limits()), w.work)
			s.send(t, 1<<20)
			w.await(t)
		})
	})
	t.Run("much that may be dropped", func(t *testing.T) {
		wantTurns(t, func(w *waiter) {
			cfg := limits()
			cfg.OutboxBytes = 4 << 20
			for waits := false; !waits; {
				s := newSlowSocket(t, wire.NewEngine(cfg), w.work)
				s.refuses.Store(true)
				for range 100 {
					must(t, s.conn.SendMarked(ws.Binary, make([]byte, 8<<10-4), wire.Mark{Policy: wire.PolicyDropOldest}))
				}
				s.refuses.Store(false)
				if waits = s.refused.Load() == 1; !waits { // the writer has run before, and waits for the client
					s.conn.Abort()
				}
			}
			w.await(t)
		})
	})
	t.Run("many", func(t *testing.T) { wantTurns(t, func(w *waiter) { sendByMany(t, w) }) })
}

func sendByMany(t *testing.T, w *waiter) {
	t.Helper()
	e := wire.NewEngine(limits())
	const many = 25
	starts := make([]func(), many)
	for i := range starts {
		s := newSlowSocket(t, e, w.work)
		client, server := tcpPair(t)
		must(t, client.Frame(true, wire.OpBinary, make([]byte, 13<<10)))
		starts[i] = func() {
			startOn(t, client, wrapped{server}, e, &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) {
				must(t, s.conn.Send(ws.Binary, make([]byte, 8<<10-4)))
			}})
		}
	}
	for _, start := range starts {
		start()
	}
	w.await(t)
}

// TestSlowSendsBecomeSmaller: and longer again when the socket is fast.
func TestSlowSendsBecomeSmaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took := slowSend
		s := newSlowSocket(t, wire.NewEngine(limits()), func() { time.Sleep(took) })
		if got, want := s.send(t, 256<<10), []int{64, 32, 16, 8, 8}; !slices.Equal(got[:len(want)], want) || slices.Max(got[len(want):]) > 8 {
			t.Errorf("a slow socket was given %v KiB", got)
		}
		took = 20 * time.Microsecond // twice as much might take 40, and then long again
		if got := s.send(t, 64<<10); slices.Max(got) > 8 {
			t.Errorf("a socket that is nearly slow was given %v KiB", got)
		}
		took = 0
		if got, want := s.send(t, 256<<10), []int{8, 16, 32, 64, 64}; !slices.Equal(got[:len(want)], want) {
			t.Errorf("a fast socket was given %v KiB", got)
		}
	})
}

// TestSlowSendsGoOn: calls that are neither slow nor fast keep what is given at once as it is.
func TestSlowSendsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took := slowSend
		s := newSlowSocket(t, wire.NewEngine(limits()), func() { time.Sleep(took) })
		s.send(t, 256<<10)
		took = 40 * time.Microsecond
		for begun := time.Now(); time.Since(begun) < 3*time.Second; time.Sleep(10 * time.Millisecond) {
			if got := s.send(t, 64<<10); slices.Max(got) > 8 {
				t.Fatalf("after %v it was given %v KiB", time.Since(begun), got)
			}
		}
	})
}

// TestSlowSendsAreForgotten: after a second without one.
func TestSlowSendsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlowSocket(t, wire.NewEngine(limits()), func() { time.Sleep(slowSend) })
		s.send(t, 256<<10)
		time.Sleep(900 * time.Millisecond)
		if got := s.send(t, 64<<10); got[0] != 8 {
			t.Errorf("soon after, a slow socket was given %v KiB", got)
		}
		time.Sleep(time.Second)
		if got := s.send(t, 64<<10); got[0] != 64 {
			t.Errorf("a second later it was given %v KiB", got)
		}
	})
}

// slowSend is how long it takes a slow socket to take 8 KiB or more.
const slowSend = 300 * time.Microsecond

// slowSocket is a connection whose socket takes all that it is given, but needs its time for 8 KiB and more.
type slowSocket struct {
	conn    *wire.Conn
	client  *wsxtest.Client
	given   chan int    // KiB at once
	refuses atomic.Bool // it takes nothing at once from now on
	refused atomic.Int32
}

func newSlowSocket(t *testing.T, e *wire.Engine, work func()) *slowSocket {
	client, server := wsxtest.Pipe(t)
	s := &slowSocket{conn: wire.New(server, e, &recorder{}), client: client, given: make(chan int, 1000)}
	wire.Throttled(s.conn, func(p []byte) int {
		if s.refuses.Load() {
			s.refused.Add(1)
			return 0
		}
		if len(p) >= 8<<10 {
			work()
		}
		s.given <- len(p) >> 10
		return len(p)
	})
	return s
}

// send sends a message, and returns how much the socket was given each time, in KiB.
func (s *slowSocket) send(t *testing.T, size int) (given []int) {
	t.Helper()
	must(t, s.conn.Send(ws.Binary, make([]byte, size)))
	must(t, s.conn.Flush(t.Context()))
	for len(s.given) > 0 {
		given = append(given, <-s.given)
	}
	return given
}

// TestATurnIsNoRefusal: a writer that lets others go first does not wait for the socket, however long that takes. So
// neither who waits for room closes the connection, nor the budget, nor a round that finds the outbox full.
func TestATurnIsNoRefusal(t *testing.T) {
	const longTurn = 1100 * time.Millisecond // longer than any patience
	for name, row := range map[string]struct {
		budget, waiting int
		meanwhile       func(*testing.T, *slowSocket)
	}{
		"sender": {0, 200 << 10, func(t *testing.T, s *slowSocket) { must(t, s.conn.Send(ws.Binary, []byte("behind it"))) }},
		"sender, and then the socket refuses for a moment": {0, 200 << 10, func(t *testing.T, s *slowSocket) {
			s.refuses.Store(true)
			time.AfterFunc(longTurn+25*time.Millisecond, func() { _, _ = io.Copy(io.Discard, s.client.Conn()) })
			must(t, s.conn.Send(ws.Binary, []byte("behind it")))
		}},
		"budget": {60 << 10, 200 << 10, func(*testing.T, *slowSocket) {}},
		"round": {0, 1200 << 10, func(t *testing.T, s *slowSocket) {
			time.Sleep(longTurn - time.Millisecond)
			round := wire.NewRoundAlone(0)
			defer round.Release()
			round.Append(ws.Binary, make([]byte, 1000), nil)
			_, _, err := s.conn.SendRound(round)
			must(t, err)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := limits()
				cfg.OutboxBytes, cfg.OutboxBudget = 32<<10, row.budget
				e := wire.NewEngine(cfg)
				wire.SetTurn(e, func() { time.Sleep(longTurn) })
				s := newSlowSocket(t, e, func() { time.Sleep(slowSend) })
				defer s.conn.Abort()
				must(t, s.conn.Send(ws.Binary, make([]byte, row.waiting)))
				synctest.Wait() // the writer waits for its turn
				row.meanwhile(t, s)
				must(t, s.conn.Flush(t.Context()))
				want(t, "cause", s.conn.Cause(), nil)
				want(t, "dropped", cfg.Dropped.Load(), 0)
			})
		})
	}
}

// TestATurnIsNoProgress: what the socket had refused before a turn still counts, and the turn does not.
func TestATurnIsNoProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		must(t, r.Send(ws.Text, []byte("never read")))
		const refused, turn, more = 40 * time.Millisecond, time.Second, 5 * time.Millisecond
		time.Sleep(refused)
		want(t, "stuck at the beginning of a turn", wire.Yields(r.Conn, true), refused)
		time.Sleep(turn)
		want(t, "stuck during the turn", wire.Stuck(r.Conn), refused)
		want(t, "stuck after it", wire.Yields(r.Conn, false), refused)
		time.Sleep(more)
		want(t, "stuck later", wire.Stuck(r.Conn), refused+more)
	})
}

// TestALookIsNoRefusal: nor does a writer wait for the socket while it lets others go before a look.
func TestALookIsNoRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := wire.NewEngine(limits())
		client, server := wsxtest.Pipe(t)
		r := startOn(t, client, server, e, &recorder{})
		must(t, r.Send(ws.Text, []byte("never read")))
		const apart, refused = 20 * time.Millisecond, 25 * time.Millisecond
		turns := 0
		wire.SetTurn(e, func() {
			turns++
			time.Sleep(time.Second)
			want(t, "stuck during the turn", wire.Stuck(r.Conn), refused)
		})
		wire.Look(r.Conn)
		time.Sleep(apart)
		wire.Look(r.Conn) // the first of a burst
		time.Sleep(refused - apart)
		wire.Look(r.Conn)
		want(t, "turns", turns, 1)
		want(t, "stuck after it", wire.Stuck(r.Conn), refused)
	})
}
