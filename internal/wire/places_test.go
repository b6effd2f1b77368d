package wire_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// manyNotes returns n messages under a policy, each with a key of its own, and so many bytes long on the wire.
func manyNotes(n, size int, policy wire.Policy) (all []note) {
	for i := range n {
		key := fmt.Sprintf("%03d", i)
		all = append(all, note{key + strings.Repeat(".", size-len(wire.AppendHeader(nil, true, wire.OpText, size-4, nil))-len(key)), policy, key})
	}
	return all
}

// among is a rig that shares a budget with others. Once strain is called these use more than half of it, none of them
// more than a small share.
func among(t *testing.T, cfg wire.Config) (e *wire.Engine, r *rig, strain func()) {
	t.Helper()
	cfg.OutboxBudget = 1 << 20
	e, rigs := group(t, cfg, 41)
	return e, rigs[0], func() {
		for _, other := range rigs[1:] {
			must(t, other.round(ws.Binary, pattern(14<<10)))
		}
		synctest.Wait()
	}
}

// TestPlacesComeBack: a queue whose messages were dropped, or sent, counts for nothing.
func TestPlacesComeBack(t *testing.T) {
	for _, policy := range []wire.Policy{wire.PolicyClose, wire.PolicyDropNewest, wire.PolicyDropOldest, wire.PolicyConflate} {
		for name, send := range ways {
			t.Run(fmt.Sprint(policy, " ", name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					e, r, strain := among(t, limits())
					strain()
					before, _ := e.Held()
					_ = send(r, nil, manyNotes(400, 102, policy)) // it may be too slow for them
					go func() { _, _ = io.Copy(io.Discard, r.client.Conn()) }()
					time.Sleep(time.Second)
					after, _ := e.Held()
					want(t, "held", after, before)
				})
			})
		}
	}
}

// TestAShorterArrayBeforeALoss: while the budget is strained, a queue that has become short gets a shorter array, and
// none of its messages is dropped for places that it does not use.
func TestAShorterArrayBeforeALoss(t *testing.T) {
	const sent, left, size = 280, 40, 102
	synctest.Test(t, func(t *testing.T) {
		cfg := counted(0)
		_, r, strain := among(t, cfg)
		must(t, ways["rounds"](r, nil, manyNotes(sent, size, wire.PolicyDropOldest)))
		_, err := io.CopyN(io.Discard, r.client.Conn(), (sent-left)*size)
		must(t, err)
		strain()
		time.Sleep(time.Second)
		want(t, "dropped", cfg.Shed.Load(), 0)
		want(t, "error", r.Cause(), nil)
		if messages, _ := r.Buffered(); wire.Weight(r.Conn) > messages*(size+64+72) {
			t.Errorf("%d messages of %d bytes count for %d", messages, size, wire.Weight(r.Conn))
		}
	})
}

// TestStrainedRound: of a round that is parted while the budget is strained, as much stays as if it came one by one.
func TestStrainedRound(t *testing.T) {
	for name, send := range ways {
		for _, most := range []int{256, 0} {
			t.Run(fmt.Sprint(name, most), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					_, r, strain := among(t, counted(most))
					strain()
					must(t, send(r, nil, manyNotes(300, 504, wire.PolicyDropOldest)))
					time.Sleep(time.Second)
					if messages, _ := r.Buffered(); messages < 18 || messages > 32 {
						t.Errorf("%d messages of 504 bytes wait", messages)
					}
				})
			})
		}
	}
}

// TestFreePlacesTakeNothing: while the budget is strained, a message is as good as one for which the array need not
// grow. The first one, sent directly, is in a chunk of 4 KiB, all of which counts.
func TestFreePlacesTakeNothing(t *testing.T) {
	for name, least := range map[string]int{"direct": 88, "rounds": 112} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, r, strain := among(t, counted(0))
				strain()
				for _, n := range manyNotes(300, 30, wire.PolicyDropOldest) {
					must(t, ways[name](r, nil, []note{n}))
					synctest.Wait() // the writer counts it
				}
				if messages, _ := r.Buffered(); messages < least || messages > least+8 {
					t.Errorf("%d messages of 30 bytes wait", messages)
				}
			})
		})
	}
}

// TestRoomByParting: that messages of a round replace each other once it is parted may be room enough.
func TestRoomByParting(t *testing.T) {
	for _, name := range []string{"direct", "a round"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := counted(0)
				cfg.OutboxBytes = 17
				_, c := unheard(t, wire.NewEngine(cfg), func(c *wire.Conn) {
					wire.Throttled(c, one())
				})
				r, tally := &rig{Conn: c}, new(wire.Tally)
				must(t, r.notes(nil, notes(wire.PolicyConflate, "a1", "b1", "b2", "b3")...))
				must(t, ways[name](r, tally, notes(wire.PolicyDropNewest, "c")))
				want(t, "queued", tally.Queued.Load(), 1)
				want(t, "dropped", tally.Dropped.Load(), 0)
			})
		})
	}
}

// one takes a byte, and then nothing more.
func one() func([]byte) int {
	left := 1
	return func([]byte) (n int) {
		n, left = left, 0
		return n
	}
}

// TestOneMessageOfAKey: also where the older one waits in a round that has not begun to go out.
func TestOneMessageOfAKey(t *testing.T) {
	for name, most := range map[string]int{"room for two": 2, "room for all": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := counted(most)
				_, c := unheard(t, wire.NewEngine(cfg), func(c *wire.Conn) { wire.Throttled(c, one()) })
				queueNotes(t, c, notes(wire.PolicyConflate, "x", "a1"))
				must(t, ways["direct"](&rig{Conn: c}, nil, notes(wire.PolicyConflate, "a2")))
				messages, _ := c.Buffered()
				want(t, "waiting", messages, 2)
				want(t, "conflated", cfg.Conflated.Load(), 1)
			})
		})
	}
}

// queueNotes queues one round, does not write it, and returns where it ends.
func queueNotes(t *testing.T, c *wire.Conn, all []note) (end uint64) {
	t.Helper()
	round := wire.NewRoundAlone(0)
	defer round.Release()
	for _, n := range all {
		round.AppendMarked(ws.Text, []byte(n.text), nil, n.mark(nil))
	}
	_, err := c.QueueRound(round)
	must(t, err)
	return round.End()
}

// TestPartedMessagesCameFirst: what has come behind a round does not count against its messages when it is parted.
func TestPartedMessagesCameFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := counted(10)
		_, c := unheard(t, wire.NewEngine(cfg), func(c *wire.Conn) { wire.Throttled(c, one()) })
		round := wire.NewRoundAlone(queueNotes(t, c, notes(wire.PolicyDropNewest, "1", "2", "3", "4", "5")))
		defer round.Release()
		for range 10 {
			round.Append(ws.Text, []byte("later"), nil)
		}
		_, _, err := c.SendRound(round)
		must(t, err)
		messages, _ := c.Buffered()
		want(t, "waiting", messages, 15)
		want(t, "dropped", cfg.Shed.Load(), 0)
	})
}

// TestPartedMessagesMakeNoRoom: what may not be dropped displaces nothing where a round of its own would not either.
func TestPartedMessagesMakeNoRoom(t *testing.T) {
	for _, name := range []string{"rounds", "a round"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := counted(3)
				_, c := unheard(t, wire.NewEngine(cfg), func(c *wire.Conn) { wire.Throttled(c, one()) })
				must(t, ways[name](&rig{Conn: c}, nil, concat(notes(wire.PolicyDropOldest, "x", "a", "b"), notes(wire.PolicyClose, "c", "d"))))
				messages, _ := c.Buffered()
				want(t, "waiting", messages, 5)
				want(t, "dropped", cfg.Shed.Load(), 0)
			})
		})
	}
}

// TestRoomForARoundByParting: for one that may not be dropped, too, which finds more than a round may wait with.
func TestRoomForARoundByParting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := unheard(t, wire.NewEngine(counted(0)), func(c *wire.Conn) {
			wire.Throttled(c, one())
		})
		r := &rig{Conn: c}
		must(t, r.notes(nil, notes(wire.PolicyConflate, "a1", "b1"+big, "b2"+big, "b3"+big)...))
		time.Sleep(2 * time.Second)
		must(t, r.notes(new(wire.Tally), notes(wire.PolicyClose, "c"+big)...))
		messages, _ := r.Buffered()
		want(t, "waiting", messages, 3)
	})
}

var big = strings.Repeat(".", 300<<10)

// TestPartsOfARoundCount: whatever waits behind them.
func TestPartsOfARoundCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := unheard(t, wire.NewEngine(counted(0)), func(c *wire.Conn) { wire.Throttled(c, one()) })
		r := &rig{Conn: c}
		must(t, r.notes(nil, manyNotes(20, 504, wire.PolicyConflate)...))
		must(t, r.Send(ws.Binary, pattern(504)))
		must(t, ways["direct"](r, nil, notes(wire.PolicyConflate, "c")))
		messages, bytes := r.Buffered()
		want(t, "waiting", messages, 22)
		if weight := wire.Weight(c); weight < bytes {
			t.Errorf("%d bytes wait, %d count", bytes, weight)
		}
	})
}
