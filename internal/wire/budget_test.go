package wire_test

import (
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// strain is how long what is in excess of a budget may stay: until it has not moved for 250 ms, and somebody looks.
const strain = 300 * time.Millisecond

// group are connections in memory that share an engine, with an echo each.
func group(t *testing.T, cfg wire.Config, n int) (*wire.Engine, []*rig) {
	t.Helper()
	e, rigs := wire.NewEngine(cfg), make([]*rig, n)
	for i := range rigs {
		client, server := wsxtest.Pipe(t)
		rigs[i] = startOn(t, client, server, e, echo())
	}
	t.Cleanup(func() {
		for _, r := range rigs {
			r.Abort()
			r.ended(t)
		}
		outboxes, partials := e.Held()
		want(t, "bytes held in the end", outboxes+partials, 0)
	})
	return e, rigs
}

// statuses returns with which status each is closed; 0: it is open.
func statuses(rigs []*rig) (all []ws.Status) {
	for _, r := range rigs {
		all = append(all, ws.StatusOf(r.Cause()))
	}
	return all
}

func wantStatuses(t *testing.T, what string, rigs []*rig, want ...ws.Status) {
	t.Helper()
	if got := statuses(rigs); !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// budgeted has budgets that two pieces of 64 KiB do not strain, and that three do.
func budgeted() wire.Config {
	cfg := limits()
	cfg.OutboxBudget, cfg.PartialBudget = 320<<10, 320<<10
	return cfg
}

// TestOutboxBudget: of those that nobody reads the worst is cut, and no more than is needed; who goes on holding what
// it was given is cut off.
func TestOutboxBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, rigs := group(t, budgeted(), 3)
		for _, r := range rigs {
			must(t, r.Send(ws.Binary, pattern(60<<10)))
			time.Sleep(strain) // who has waited for longer is worse
		}
		wantStatuses(t, "in the end", rigs, ws.StatusSlowConsumer, 0, 0)
		time.Sleep(strain)
		if held, _ := e.Held(); held > 160<<10 {
			t.Errorf("%d bytes are held", held)
		}
		_, err := io.ReadAll(rigs[0].client.Conn())
		must(t, err)
		rigs[0].ended(t)
		want(t, "dropped", rigs[0].dropped.Load(), 1)
	})
}

// TestExhaustedOutboxBudget: when all of it is used there is no time to lose.
func TestExhaustedOutboxBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := budgeted()
		cfg.OutboxBudget = 150 << 10
		e, rigs := group(t, cfg, 3)
		for _, r := range rigs {
			must(t, r.Send(ws.Binary, pattern(60<<10)))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(75 * time.Millisecond)
		wantStatuses(t, "soon", rigs, ws.StatusSlowConsumer, ws.StatusSlowConsumer, 0)
		rigs[0].ended(t)
		rigs[1].ended(t)
		held, _ := e.Held()
		want(t, "held in the end", held, 72<<10)
	})
}

// TestOutboxBudgetSpares: a small share, and a reader that takes something now and then, are nobody's worst.
func TestOutboxBudgetSpares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := budgeted()
		cfg.OutboxBudget = 3 << 19 // more than half of it is used
		_, rigs := group(t, cfg, 5)
		for _, r := range rigs[:4] {
			must(t, r.Send(ws.Binary, pattern(4000)))
		}
		slow := rigs[4]
		must(t, slow.Send(ws.Binary, pattern(1<<20)))
		var some [16 << 10]byte
		for range 40 {
			time.Sleep(200 * time.Millisecond)
			_, err := io.ReadFull(slow.client.Conn(), some[:])
			must(t, err)
		}
		wantStatuses(t, "after eight seconds", rigs, 0, 0, 0, 0, 0)
		time.Sleep(strain) // it has stopped reading
		wantStatuses(t, "in the end", rigs, 0, 0, 0, 0, ws.StatusSlowConsumer)
	})
}

// TestStrainedSender: while the budget is strained, a sender waits for a receiver that has its share. It goes on when
// that reads, and is told when it does not.
func TestStrainedSender(t *testing.T) {
	for name, row := range map[string]struct {
		reads  bool
		status ws.Status
		waited time.Duration
	}{
		"reads":         {true, 0, 100 * time.Millisecond},
		"does not read": {false, ws.StatusSlowConsumer, 250 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := budgeted()
				cfg.OutboxBudget = 100 << 10
				_, rigs := group(t, cfg, 2)
				slow, begun := rigs[0], time.Now()
				must(t, slow.Send(ws.Binary, pattern(30<<10)))
				must(t, rigs[1].Send(ws.Binary, pattern(30<<10)))
				want(t, "time for a receiver that had nothing waiting", time.Since(begun), 0)
				if row.reads {
					time.AfterFunc(100*time.Millisecond, func() { _, _ = slow.client.Read() })
				}
				err := slow.Send(ws.Binary, pattern(100))
				want(t, "sent", err == nil, row.reads)
				want(t, "cause", ws.StatusOf(slow.Cause()), row.status)
				want(t, "time for one that had much", time.Since(begun), row.waited)
			})
		})
	}
}

// TestSharedRoundsCountOnce: what waits for many is held once, so it strains nothing; what waits for one each does.
func TestSharedRoundsCountOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, rigs := group(t, budgeted(), 5)
		round := wire.NewRoundAlone(0)
		round.Append(ws.Binary, pattern(60_000), nil)
		for _, r := range rigs {
			_, _, err := r.SendRound(round)
			must(t, err)
			r.log = round.End()
		}
		round.Release()
		if held, _ := e.Held(); held < 60_000 || held > 120_000 {
			t.Errorf("%d bytes are held", held)
		}
		time.Sleep(strain)
		wantStatuses(t, "with one round for all", rigs, 0, 0, 0, 0, 0)
		must(t, rigs[4].round(ws.Binary, pattern(100_000)))
		time.Sleep(strain)
		wantStatuses(t, "with one more for one", rigs, 0, 0, 0, 0, ws.StatusSlowConsumer)
	})
}

// TestLongQueuesCount: many messages that are shared take memory in each of the queues in which they wait.
func TestLongQueuesCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rounds, chunk = 200, 72
		held := func(n int) int64 {
			e, rigs := group(t, limits(), n)
			for i := range rounds {
				round := wire.NewRoundAlone(rigs[0].log)
				round.Append(ws.Binary, pattern(2000+i), nil)
				for _, r := range rigs {
					_, _, err := r.SendRound(round)
					must(t, err)
					r.log = round.End()
				}
				round.Release()
			}
			held, _ := e.Held()
			return held
		}
		if each := (held(11) - held(1)) / 10; each < rounds*chunk*9/10 || each > 4*rounds*chunk {
			t.Errorf("each of the queues counts for %d bytes", each)
		}
	})
}

// TestLittleMemoryForLittleThatWaits: what waits is not kept in the room that was made for more.
func TestLittleMemoryForLittleThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.Cork = true
		e, rigs := group(t, cfg, 10)
		for _, r := range rigs {
			must(t, r.client.Raw(join(text("an echo"), text("and another"))))
			synctest.Wait()
			must(t, r.Send(ws.Text, []byte("hello")))
		}
		if held, _ := e.Held(); held > 10*2*4096 {
			t.Errorf("%d bytes are held", held)
		}
	})
}

// TestPartialBudget: of the messages that never end those that keep much are given up, the oldest first.
func TestPartialBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, rigs := group(t, budgeted(), 4)
		must(t, rigs[3].client.Raw(first("a short one")))
		for _, r := range rigs[:3] {
			must(t, r.client.Raw(first(string(make([]byte, 40_000)))))
			time.Sleep(10 * time.Millisecond)
		}
		got := hear(t, rigs[0].client)
		want(t, "close frame", got.close.Status, ws.StatusTryAgainLater)
		time.Sleep(strain)
		wantStatuses(t, "in the end", rigs, ws.StatusTryAgainLater, 0, 0, 0)
		rigs[0].ended(t)
		if _, held := e.Held(); held > 160<<10 {
			t.Errorf("%d bytes are held", held)
		}
	})
}

// TestPartialBudgetSpares: what becomes whole in time, and what is small.
func TestPartialBudgetSpares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := budgeted()
		cfg.PartialBudget = 20 << 10
		_, rigs := group(t, cfg, 5)
		for _, r := range rigs[:4] {
			must(t, r.client.Raw(first("begun")))
		}
		for range 5 {
			must(t, rigs[4].client.Raw(first(string(make([]byte, 20_000)))))
			time.Sleep(200 * time.Millisecond)
			must(t, rigs[4].client.Raw(last(string(make([]byte, 20_000)))))
			m, err := rigs[4].client.Read()
			must(t, err)
			want(t, "echo", len(m.Data), 40_000)
		}
		wantStatuses(t, "after a second", rigs, 0, 0, 0, 0, 0)
	})
}

// TestBudgetSparesWhoMovesMeanwhile: to close many takes its time, in which a message may become whole.
func TestBudgetSparesWhoMovesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := budgeted()
		cfg.PartialBudget = 200 << 10 // two have to go
		_, rigs := group(t, cfg, 3)
		rigs[0].handler.onClosing = func() {
			must(t, rigs[1].client.Raw(last("")))
			synctest.Wait()
		}
		for _, r := range rigs {
			must(t, r.client.Raw(first(string(make([]byte, 40_000)))))
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(strain)
		wantStatuses(t, "in the end", rigs, ws.StatusTryAgainLater, 0, 0)
	})
}

// TestBudgetSparesWhoTakesMeanwhile: nor does who takes something in that time go. That its writer lets others go first
// is no reason.
func TestBudgetSparesWhoTakesMeanwhile(t *testing.T) {
	const gone = ws.StatusSlowConsumer
	for name, row := range map[string]struct {
		meanwhile func(second *rig)
		second    ws.Status
		third     ws.Status // goes for it with the next look
	}{
		"nothing":         {func(*rig) {}, gone, 0},
		"takes something": {func(second *rig) { takeSome(t, second) }, 0, gone},
		"lets others go first": {func(second *rig) {
			wire.Yields(second.Conn, true)
			time.Sleep(time.Millisecond)
			wire.Yields(second.Conn, false)
		}, gone, 0},
		"takes something, and lets others go first": {func(second *rig) {
			takeSome(t, second)
			wire.Yields(second.Conn, true)
			time.Sleep(time.Millisecond)
			wire.Yields(second.Conn, false)
		}, 0, gone},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, rigs := group(t, budgeted(), 3)
				var looked, second time.Time
				rigs[0].handler.onClosing = func() {
					row.meanwhile(rigs[1])
					looked = time.Now()
				}
				rigs[1].handler.onClosing = func() { second = time.Now() }
				for _, r := range rigs {
					must(t, r.Send(ws.Binary, pattern(100<<10)))
					time.Sleep(10 * time.Millisecond)
				}
				time.Sleep(strain)
				wantStatuses(t, "in the end", rigs, gone, row.second, row.third)
				want(t, "the second one went with the first", second.Equal(looked), row.second == gone)
			})
		})
	}
}

// takeSome reads a part of what waits for a client.
func takeSome(t *testing.T, r *rig) {
	_, err := io.ReadFull(r.client.Conn(), make([]byte, 16<<10))
	must(t, err)
	synctest.Wait()
}

// TestBudgetsOff holds whatever comes.
func TestBudgetsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, rigs := group(t, limits(), 2)
		for _, r := range rigs {
			must(t, r.Send(ws.Binary, pattern(1<<20)))
			must(t, r.client.Raw(first(string(make([]byte, 60_000)))))
		}
		time.Sleep(5 * time.Second)
		wantStatuses(t, "in the end", rigs, 0, 0)
		outboxes, partials := e.Held()
		want(t, "held", outboxes, 2*(1<<20+10))
		want(t, "partial", partials > 2*60_000, true)
	})
}

// TestARoundThatGrowsCounts with all that it keeps, also when an outbox has had a part of it before.
func TestARoundThatGrowsCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.OutboxBudget = 1 << 20
		e, rigs := group(t, cfg, 3)
		for _, r := range rigs {
			must(t, r.Send(ws.Text, []byte("in hand")))
		}
		synctest.Wait()
		before, _ := e.Held()
		round := wire.NewRoundAlone(0)
		defer round.Release()
		for i, size := range []int{2 << 10, 60 << 10} {
			round.Append(ws.Binary, pattern(size), nil)
			_, _, err := rigs[i].SendRound(round)
			must(t, err)
			synctest.Wait()
			if held, _ := e.Held(); held-before < int64(round.Len()) {
				t.Errorf("%d bytes are held, %d count", round.Len(), held-before)
			}
		}
		_, _, err := rigs[2].SendRound(round)
		must(t, err)
		synctest.Wait()
		if held, _ := e.Held(); held-before > 4*int64(round.Len()) {
			t.Errorf("%d bytes are held, %d count", round.Len(), held-before)
		}
		for _, r := range rigs {
			go func() { _, _ = io.Copy(io.Discard, r.client.Conn()) }()
		}
		synctest.Wait()
		after, _ := e.Held()
		want(t, "held at the end", after, 0)
	})
}
