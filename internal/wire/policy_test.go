package wire_test

import (
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// counted is limits with counters of what is dropped and replaced.
func counted(messages int) wire.Config {
	cfg := limits()
	cfg.OutboxMessages = messages
	cfg.Shed, cfg.Conflated = new(atomic.Uint64), new(atomic.Uint64)
	return cfg
}

// note is a message under a policy.
type note struct {
	text   string
	policy wire.Policy
	key    string
}

func notes(policy wire.Policy, texts ...string) (all []note) {
	for _, text := range texts {
		all = append(all, note{text: text, policy: policy, key: text[:1]})
	}
	return all
}

// ways are how notes reach an outbox: each by itself, each in a round of its own, all in one round.
var ways = map[string]func(*rig, *wire.Tally, []note) error{
	"direct": func(r *rig, tally *wire.Tally, all []note) error {
		for _, n := range all {
			if err := r.SendMarked(ws.Text, []byte(n.text), n.mark(tally)); err != nil {
				return err
			}
		}
		return nil
	},
	"rounds": func(r *rig, tally *wire.Tally, all []note) error {
		for _, n := range all {
			if err := r.notes(tally, n); err != nil {
				return err
			}
		}
		return nil
	},
	"a round": func(r *rig, tally *wire.Tally, all []note) error { return r.notes(tally, all...) },
}

func (n note) mark(t *wire.Tally) wire.Mark { return wire.Mark{Policy: n.policy, Key: n.key, Tally: t} }

// notes sends notes in one round.
func (r *rig) notes(tally *wire.Tally, all ...note) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	round := wire.NewRound(r.log)
	defer round.Release()
	for _, n := range all {
		round.AppendMarked(ws.Text, []byte(n.text), nil, n.mark(tally))
	}
	r.log = round.End()
	_, _, err := r.SendRound(round)
	return err
}

func concat(parts ...[]note) (all []note) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// TestPolicies: the peer reads nothing until all is sent; the first message is with the socket then.
func TestPolicies(t *testing.T) {
	for _, row := range []struct {
		name                       string
		most                       int
		sent                       []note
		got                        string
		dropped, displaced, queued int64
		direct                     bool // only: in rounds there is more room
	}{
		{"drop newest", 3, notes(wire.PolicyDropNewest, "a", "b", "c", "d", "e"), "a b c", 2, 0, 3, false},
		{"drop oldest", 3, notes(wire.PolicyDropOldest, "a", "b", "c", "d", "e"), "a d e", 0, 2, 5, false},
		{"conflate", 3, notes(wire.PolicyConflate, "x", "a1", "b1", "a2", "b2", "a3"), "x b2 a3", 0, 3, 6, false},
		{"the order among keys", 9, notes(wire.PolicyConflate, "x", "a1", "b1", "c1", "a2"), "x b1 c1 a2", 0, 1, 5, false},
		{"nothing to drop", 2, concat(notes(wire.PolicyClose, "a", "b"), notes(wire.PolicyDropOldest, "c")), "a b", 1, 0, 2, false},
		{
			"room for what matters", 3, concat(notes(wire.PolicyDropOldest, "x", "a", "b"), notes(wire.PolicyClose, "c", "d")),
			"x c d", 0, 2, 5, true,
		},
		{
			"what matters is never replaced", 9,
			concat(notes(wire.PolicyClose, "x", "a1"), notes(wire.PolicyConflate, "a2", "a3")), "x a1 a3", 0, 1, 4, false,
		},
		{
			"the newest may go too", 3,
			concat(notes(wire.PolicyConflate, "x", "a"), notes(wire.PolicyDropNewest, "b", "c")), "x a b", 1, 0, 3, false,
		},
	} {
		for name, send := range ways {
			if row.direct && name != "direct" {
				continue
			}
			t.Run(row.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cfg := counted(row.most)
					r := piped(t, cfg, &recorder{})
					tally := new(wire.Tally)
					must(t, ways["direct"](r, tally, row.sent[:1]))
					synctest.Wait() // the socket has it
					must(t, send(r, tally, row.sent[1:]))
					messages, _ := r.Buffered()
					want(t, "buffered", messages, len(strings.Fields(row.got)))
					want(t, "queued", tally.Queued.Load(), row.queued)
					want(t, "dropped", tally.Dropped.Load(), row.dropped)
					want(t, "displaced", tally.Displaced.Load(), row.displaced)
					want(t, "counted", cfg.Shed.Load()+cfg.Conflated.Load(), uint64(row.dropped+row.displaced))
					must(t, r.Close(ws.StatusNormalClosure, ""))
					var got []string
					for f := range frames(t, r.client) {
						got = append(got, string(f.Payload))
					}
					want(t, "received", strings.Join(got, " "), row.got)
				})
			})
		}
	}
}

// TestPoliciesPartARound that found nothing in front of it, and does not go out at once.
func TestPoliciesPartARound(t *testing.T) {
	for policy, want := range map[wire.Policy]string{
		wire.PolicyDropNewest: "a1 b1 a2", wire.PolicyDropOldest: "a3 b3 a4", wire.PolicyConflate: "b3 a4",
	} {
		synctest.Test(t, func(t *testing.T) {
			r := piped(t, counted(3), &recorder{})
			must(t, r.notes(nil, notes(policy, "a1", "b1", "a2", "b2", "a3", "b3", "a4")...))
			must(t, r.Close(ws.StatusNormalClosure, ""))
			var got []string
			for f := range frames(t, r.client) {
				got = append(got, string(f.Payload))
			}
			if s := strings.Join(got, " "); s != want {
				t.Errorf("policy %d: got %s, want %s", policy, s, want)
			}
		})
	}
}

// TestPoliciesUnderContextTakeover: what is dropped was never compressed, so the peer can read what comes.
func TestPoliciesUnderContextTakeover(t *testing.T) {
	for name, send := range ways {
		for _, policy := range []wire.Policy{wire.PolicyDropNewest, wire.PolicyDropOldest, wire.PolicyConflate} {
			t.Run(fmt.Sprint(name, policy), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					testTakeover(t, counted(8), policy, send)
				})
			})
		}
	}
}

func testTakeover(t *testing.T, cfg wire.Config, policy wire.Policy, send func(*rig, *wire.Tally, []note) error) {
	cfg.Compression = wire.Compression{Level: 1, Threshold: 1, Bits: 15}
	client, server := wsxtest.Pipe(t)
	p := agreedOn(t, client, server, wire.NewEngine(cfg), takeover, &recorder{})
	var sent []note
	for i := range 50 {
		text := fmt.Sprint(i%6, strings.Repeat("to be or not to be ", 12), i)
		sent = append(sent, note{text: text, policy: policy, key: text[:1]})
		if i%10 == 9 && policy == wire.PolicyDropOldest {
			sent[i].policy = wire.PolicyClose // stands behind what waits uncompressed
		}
	}
	must(t, send(p.rig, nil, sent[:1]))
	synctest.Wait()
	must(t, send(p.rig, nil, sent[1:]))
	must(t, p.Close(ws.StatusNormalClosure, ""))
	next, got := 0, 0
	for f := range frames(t, client) {
		text, compressed := p.unpack(t, f)
		want(t, "compressed", compressed, true)
		for got++; next < len(sent) && sent[next].text != text; next++ {
		}
		if next++; next > len(sent) {
			t.Fatalf("%q was not sent, or before what came before it", text)
		}
	}
	if got < 2 || got > 13 { // what may not be dropped has more room in rounds
		t.Errorf("got %d messages", got)
	}
}

// frames returns what comes in front of the close frame.
func frames(t *testing.T, c *wsxtest.Client) iter.Seq[wsxtest.Frame] {
	return func(yield func(wsxtest.Frame) bool) {
		for {
			f, err := c.ReadFrame()
			must(t, err)
			if f.Op == wire.OpClose || !yield(f) {
				return
			}
		}
	}
}

// TestPoliciesShed: while the budget is strained, what may be dropped is, and its connection stays, also where what a
// writer has in hand is more than a small share.
func TestPoliciesShed(t *testing.T) {
	for name, policy := range map[string]wire.Policy{"oldest": wire.PolicyDropOldest, "newest": wire.PolicyDropNewest} {
		for _, size := range []int{1 << 10, 5 << 10} {
			t.Run(fmt.Sprint(name, " of ", size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testShed(t, policy, size) })
			})
		}
	}
}

func testShed(t *testing.T, policy wire.Policy, size int) {
	cfg := counted(256)
	cfg.OutboxBudget = 128 * size
	e := wire.NewEngine(cfg)
	var rigs []*rig
	for range 4 {
		client, server := wsxtest.Pipe(t)
		rigs = append(rigs, startOn(t, client, server, e, &recorder{}))
	}
	for _, r := range rigs {
		for range 30 {
			must(t, r.SendMarked(ws.Binary, make([]byte, size), wire.Mark{Policy: policy}))
		}
	}
	time.Sleep(time.Second)
	for _, r := range rigs {
		want(t, "state", r.State(), wire.StateOpen)
	}
	if held, _ := e.Held(); held > int64(cfg.OutboxBudget/2) {
		t.Errorf("%d bytes are held", held)
	}
	if cfg.Shed.Load() == 0 {
		t.Error("nothing was dropped")
	}
}
