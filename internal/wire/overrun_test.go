package wire_test

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestRoundsKeepToTheBudget: who takes a little now and then is not closed for it, but gets no more of what is sent to
// many where such receivers use up the budget by themselves.
func TestRoundsKeepToTheBudget(t *testing.T) {
	const ms, kb = time.Millisecond, 1000
	const much, gone = 800 * kb, ws.StatusSlowConsumer
	all := []int{much, much}
	for name, row := range map[string]struct {
		slow   []int // bytes that wait for receivers that read a little
		little int   // receivers for which 4,000 wait, and which do not read
		change func(*overrun)
		status []ws.Status
		held   int // MiB, rounded down
	}{
		"of two the first":               {all, 0, func(*overrun) {}, []ws.Status{gone, 0}, 0},
		"of three the worst":             {[]int{200 * kb, much, much}, 0, func(*overrun) {}, []ws.Status{0, gone, 0}, 0},
		"not so soon":                    {all, 0, func(o *overrun) { o.after = 200 * ms }, []ws.Status{0, 0}, 1},
		"not for what others hold":       {all[:1], 100, func(*overrun) {}, []ws.Status{0}, 1},
		"not for what they share":        {all, 0, func(o *overrun) { o.shared = true }, []ws.Status{0, 0}, 0},
		"nor for both":                   {all, 100, func(o *overrun) { o.shared = true }, []ws.Status{0, 0}, 1},
		"not for what rounds keep":       {all[:1], 20, func(o *overrun) { o.roomy = true }, []ws.Status{0}, 6},
		"but for more than others share": {[]int{much, much, much}, 400, func(o *overrun) { o.few = true }, []ws.Status{gone, 0, 0}, 1},
		"not without a processor":        {all, 0, func(o *overrun) { o.takes = true }, []ws.Status{0, 0}, 1},
		"not where it may be missed":     {all, 0, func(o *overrun) { o.mark.Policy = wire.PolicyDropOldest }, []ws.Status{0, 0}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &overrun{after: 300 * ms}
				row.change(o)
				o.fill(t, row.slow, row.little)
				o.trickle(t)
				var got []ws.Status
				for _, c := range o.slow {
					o.send(t, c)
				}
				for _, c := range o.slow {
					got = append(got, ws.StatusOf(c.Cause()))
				}
				synctest.Wait()
				held, _ := o.engine.Held()
				want(t, "MiB held", int(held>>20), row.held)
				want(t, "statuses", fmt.Sprint(got), fmt.Sprint(row.status))
			})
		})
	}
}

// overrun are receivers that use up a budget of 1 MiB.
type overrun struct {
	after  time.Duration // for how long they read
	shared bool          // what waits for them is one round
	takes  bool          // their sockets say so
	roomy  bool          // what waits for those with little lies in rounds that have had more
	few    bool          // it is one round
	mark   wire.Mark     // of the last message

	engine  *wire.Engine
	slow    []*wire.Conn
	clients []*wsxtest.Client
}

func (o *overrun) fill(t *testing.T, slow []int, little int) {
	t.Helper()
	cfg := limits()
	cfg.OutboxBudget = 1 << 20
	o.engine = wire.NewEngine(cfg)
	shared := wire.NewRoundAlone(0)
	defer shared.Release()
	shared.Append(ws.Binary, make([]byte, slow[0]), nil)
	for _, bytes := range slow {
		client, c := unheard(t, o.engine, func(c *wire.Conn) {
			if o.takes {
				wire.Willing(c, func() bool { return true })
			}
		})
		if o.shared {
			_, _, err := c.SendRound(shared)
			must(t, err)
		} else {
			must(t, sendRound(c, 0, bytes))
		}
		o.slow, o.clients = append(o.slow, c), append(o.clients, client)
	}
	o.fillLittle(t, little)
}

func (o *overrun) fillLittle(t *testing.T, n int) {
	t.Helper()
	var round *wire.Round
	before := uint64(0)
	for i := range n {
		_, c := unheard(t, o.engine, func(*wire.Conn) {})
		if i == 0 || !o.few {
			round = wire.NewRoundAlone(0)
			defer round.Release()
			if o.roomy {
				round.Append(ws.Binary, make([]byte, 290_000), nil) // too long for a round to be used again
				before = round.End()
			}
			round.Append(ws.Binary, make([]byte, 4000), nil)
		}
		c.Skip(before)
		_, _, err := c.SendRound(round)
		must(t, err)
	}
}

// trickle reads 16 KiB every 40 ms, as much as is written at once.
func (o *overrun) trickle(t *testing.T) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < o.after; time.Sleep(40 * time.Millisecond) {
		for _, client := range o.clients {
			_, err := io.ReadFull(client.Conn(), make([]byte, 16<<10))
			must(t, err)
		}
	}
}

func (o *overrun) send(t *testing.T, c *wire.Conn) {
	t.Helper()
	round := wire.NewRoundAlone(1 << 20)
	defer round.Release()
	round.AppendMarked(ws.Binary, make([]byte, 600), nil, o.mark)
	if _, _, err := c.SendRound(round); err != nil {
		want(t, "error", err, wire.ErrSlowConsumer)
	}
}
