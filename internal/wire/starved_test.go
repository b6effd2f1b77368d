package wire_test

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestAWriterWithoutAProcessorIsNoRefusal: the socket would take something and gets nothing, because whoever writes
// does not get to run. So neither who waits for room closes the connection, nor the budget, nor a round that finds the
// outbox full.
func TestAWriterWithoutAProcessorIsNoRefusal(t *testing.T) {
	const starved = 3 * time.Second // longer than any patience
	send := func(t *testing.T, c *wire.Conn) { must(t, c.Send(ws.Binary, []byte("behind it"))) }
	for name, row := range map[string]struct {
		budget, waiting int
		meanwhile       func(*testing.T, *wire.Conn)
	}{
		"sender":                              {0, 200 << 10, send},
		"sender while the budget is strained": {60 << 10, 200 << 10, send},
		"budget":                              {60 << 10, 200 << 10, func(*testing.T, *wire.Conn) {}},
		"round": {0, 1200 << 10, func(t *testing.T, c *wire.Conn) {
			time.Sleep(starved - 2*time.Millisecond)
			round := wire.NewRoundAlone(0)
			defer round.Release()
			round.Append(ws.Binary, make([]byte, 1000), nil)
			_, _, err := c.SendRound(round)
			must(t, err)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := limits()
				cfg.OutboxBytes, cfg.OutboxBudget = 32<<10, row.budget
				client, c := willing(t, wire.NewEngine(cfg), believed(starved))
				time.AfterFunc(starved-time.Millisecond, func() { _, _ = io.Copy(io.Discard, client.Conn()) })
				must(t, c.Send(ws.Binary, make([]byte, row.waiting)))
				row.meanwhile(t, c)
				must(t, c.Flush(t.Context()))
				want(t, "cause", c.Cause(), nil)
				want(t, "dropped", cfg.Dropped.Load(), 0)
			})
		})
	}
}

// believed returns what says for so long that a socket takes something.
func believed(d time.Duration) func() bool {
	begun := time.Now()
	return func() bool { return time.Since(begun) < d }
}

// willing returns a connection whose socket takes nothing, whatever it says.
func willing(t *testing.T, e *wire.Engine, says func() bool) (*wsxtest.Client, *wire.Conn) {
	t.Helper()
	return unheard(t, e, func(c *wire.Conn) { wire.Willing(c, says) })
}

// acknowledging returns one whose peer acknowledges something, if that says so.
func acknowledging(t *testing.T, e *wire.Engine, says func() bool) *wire.Conn {
	t.Helper()
	_, c := unheard(t, e, func(c *wire.Conn) { wire.Acknowledging(c, says) })
	return c
}

// unheard returns a connection whose socket takes nothing, as long as the client does not read.
func unheard(t *testing.T, e *wire.Engine, prepare func(*wire.Conn)) (*wsxtest.Client, *wire.Conn) {
	t.Helper()
	client, server := wsxtest.Pipe(t)
	h := &recorder{over: make(chan struct{})}
	c := wire.New(server, e, h)
	h.conn = c
	prepare(c)
	go c.Run()
	t.Cleanup(func() {
		c.Abort()
		<-h.over
	})
	return client, c
}

// TestAWriterThatNeverGetsAProcessor is not believed for ever, without a write deadline either: by who waits for room
// from the start, or comes late, by the budget, or by a round that finds the outbox full.
func TestAWriterThatNeverGetsAProcessor(t *testing.T) {
	for name, row := range map[string]struct {
		budget int
		fails  func(*wire.Conn) error // nil: somebody else closes it
	}{
		"sender": {0, func(c *wire.Conn) error { return c.Send(ws.Binary, nil) }},
		"late sender": {0, func(c *wire.Conn) error {
			time.Sleep(5 * time.Second)
			return c.Send(ws.Binary, nil)
		}},
		"budget": {1 << 20, nil},
		"round": {0, func(c *wire.Conn) error {
			time.Sleep(9 * time.Second)
			if err := sendRound(c, 0, 1); err != nil {
				return fmt.Errorf("early: %v", err)
			}
			time.Sleep(time.Second)
			return sendRound(c, 1, 1)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := limits()
				cfg.OutboxBytes, cfg.OutboxBudget, cfg.WriteDeadline = 32<<10, row.budget, 0
				_, c := willing(t, wire.NewEngine(cfg), believed(24*time.Hour))
				must(t, c.Send(ws.Binary, make([]byte, 1200<<10)))
				begun := time.Now()
				if row.fails != nil {
					want(t, "error", row.fails(c), wire.ErrSlowConsumer)
				}
				<-c.Done()
				want(t, "status", ws.StatusOf(c.Cause()), ws.StatusSlowConsumer)
				want(t, "after", time.Since(begun).Round(100*time.Millisecond), 10*time.Second)
			})
		})
	}
}

// sendRound sends a message of so many bytes in a round behind a position of the log.
func sendRound(c *wire.Conn, after uint64, bytes int) error {
	round := wire.NewRoundAlone(after)
	defer round.Release()
	round.Append(ws.Binary, make([]byte, bytes), nil)
	_, _, err := c.SendRound(round)
	return err
}

// TestAWriterWithoutAProcessorHasLimits: what waits for one is bounded like what waits for any other, and so is what it
// keeps of messages that are not whole.
func TestAWriterWithoutAProcessorHasLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.PartialBudget = 64 << 10
		e := wire.NewEngine(cfg)
		_, c := willing(t, e, believed(24*time.Hour))
		must(t, c.Send(ws.Binary, make([]byte, 4<<20)))
		want(t, "error of a round", sendRound(c, 0, 1), wire.ErrSlowConsumer)

		client, c := willing(t, e, believed(24*time.Hour))
		must(t, client.Raw(first(string(make([]byte, 40_000)))))
		time.Sleep(strain)
		want(t, "status of one that does not end its message", ws.StatusOf(c.Cause()), ws.StatusTryAgainLater)
	})
}

// TestWhoStarvedMayRefuse for as long as any other, from then on.
func TestWhoStarvedMayRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.OutboxBytes = 32 << 10
		_, c := willing(t, wire.NewEngine(cfg), believed(55*time.Millisecond))
		must(t, c.Send(ws.Binary, make([]byte, 200<<10)))
		begun := time.Now()
		want(t, "error", c.Send(ws.Binary, nil), wire.ErrSlowConsumer)
		want(t, "after", time.Since(begun), 100*time.Millisecond)
	})
}

// TestStarvedSenderHasAWriteDeadline, from when it began to wait, whatever was taken since.
func TestStarvedSenderHasAWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.OutboxBytes, cfg.WriteDeadline = 32<<10, 2*time.Second
		client, c := willing(t, wire.NewEngine(cfg), believed(24*time.Hour))
		must(t, c.Send(ws.Binary, make([]byte, 200<<10)))
		time.AfterFunc(500*time.Millisecond, func() { _, _ = io.ReadFull(client.Conn(), make([]byte, 16<<10)) })
		begun := time.Now()
		want(t, "error", c.Send(ws.Binary, nil), wire.ErrSlowConsumer)
		want(t, "after", time.Since(begun), 2*time.Second)
	})
}

// TestWhoIsSparedHidesNobody: closing the worst would be enough, but its writer only waits for a processor.
func TestWhoIsSparedHidesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.OutboxBytes, cfg.OutboxBudget = 0, 4<<20
		e := wire.NewEngine(cfg)
		_, worst := willing(t, e, believed(5*time.Second))
		must(t, worst.Send(ws.Binary, make([]byte, 3<<20)))
		_, silent := willing(t, e, believed(0))
		must(t, silent.Send(ws.Binary, make([]byte, 3<<19)))
		time.Sleep(time.Second)
		want(t, "cause of the one that is spared", worst.Cause(), nil)
		want(t, "status of the silent one", ws.StatusOf(silent.Cause()), ws.StatusSlowConsumer)
	})
}

// TestWhoIsSparedIsShed: what may be dropped is dropped before anybody is closed.
func TestWhoIsSparedIsShed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := counted(256)
		cfg.OutboxBytes, cfg.OutboxBudget = 0, 4<<20
		e := wire.NewEngine(cfg)
		_, worst := willing(t, e, believed(5*time.Second))
		for range 30 {
			must(t, worst.SendMarked(ws.Binary, make([]byte, 64<<10), wire.Mark{Policy: wire.PolicyDropOldest}))
		}
		time.Sleep(strain)
		_, silent := willing(t, e, believed(0))
		must(t, silent.Send(ws.Binary, make([]byte, 3<<19)))
		time.Sleep(time.Second)
		want(t, "cause of the one that is spared", worst.Cause(), nil)
		want(t, "cause of the silent one", silent.Cause(), nil)
		want(t, "dropped", cfg.Shed.Load(), 29)
	})
}

// TestWhoIsSparedMeanwhile has a socket empty itself while others are closed, which takes time.
func TestWhoIsSparedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.OutboxBytes, cfg.OutboxBudget = 0, 4<<20
		e := wire.NewEngine(cfg)
		_, silent := willing(t, e, believed(0))
		must(t, silent.Send(ws.Binary, make([]byte, 3<<20)))
		_, late := willing(t, e, func() bool { return silent.Cause() != nil })
		must(t, late.Send(ws.Binary, make([]byte, 5<<19)))
		time.Sleep(time.Second)
		want(t, "status of the silent one", ws.StatusOf(silent.Cause()), ws.StatusSlowConsumer)
		want(t, "cause of the other one", late.Cause(), nil)
	})
}

// asked is a connection in memory that counts who asks for its socket.
type asked struct {
	net.Conn
	times atomic.Int32
}

func (a *asked) NetConn() net.Conn {
	a.times.Add(1)
	return a.Conn
}

func (*asked) Handshake() error { return nil }

// TestAnEndedSocketIsNotAsked: it is its lender's again, while the budget may still look for the worst, or cut it.
func TestAnEndedSocketIsNotAsked(t *testing.T) {
	client, server := wsxtest.Pipe(t)
	socket := &asked{Conn: server}
	r := start(t, client, socket, limits(), &recorder{})
	want(t, "of what is no socket", wire.Takes(r.Conn), false)
	want(t, "it is asked", socket.times.Load() > 0, true)
	r.Abort()
	r.ended(t)
	before := socket.times.Load()
	r.Abort() // as a timer does that was late
	want(t, "of what has ended", wire.Takes(r.Conn), false)
	want(t, "times it is asked", socket.times.Load(), before)
}

// TestWhatWasTakenBeforeIsNoProgress: that a peer has taken something before somebody waited for it says nothing of how
// long it refuses since.
func TestWhatWasTakenBeforeIsNoProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.OutboxBytes = 32 << 10
		looks := 0
		c := acknowledging(t, wire.NewEngine(cfg), func() bool { looks++; return looks == 1 })
		must(t, c.Send(ws.Binary, make([]byte, 200<<10)))
		begun := time.Now()
		want(t, "error", c.Send(ws.Binary, nil), wire.ErrSlowConsumer)
		want(t, "after", time.Since(begun), 50*time.Millisecond)
	})
}

// TestWhoAcknowledgesIsWaitedFor by who sends to it, for 10 s at most, and not by the budget: what it takes may be very
// little.
func TestWhoAcknowledgesIsWaitedFor(t *testing.T) {
	for name, row := range map[string]struct {
		budget   int
		believed time.Duration
		after    time.Duration
	}{
		"for a while":   {0, 230 * time.Millisecond, 250 * time.Millisecond},
		"for ever":      {0, 24 * time.Hour, 10 * time.Second},
		"with a budget": {256 << 10, 24 * time.Hour, 300 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := limits()
				cfg.OutboxBytes, cfg.OutboxBudget, cfg.WriteDeadline = 32<<10, row.budget, 0
				c := acknowledging(t, wire.NewEngine(cfg), believed(row.believed))
				must(t, c.Send(ws.Binary, make([]byte, 200<<10)))
				begun := time.Now()
				want(t, "sent", c.Send(ws.Binary, nil) == nil, false)
				want(t, "status", ws.StatusOf(c.Cause()), ws.StatusSlowConsumer)
				want(t, "after", time.Since(begun).Round(50*time.Millisecond), row.after)
			})
		})
	}
}
