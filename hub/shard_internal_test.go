package hub

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/fiberwsx/wsx/ws"
)

// TestALogCountsWhatItHolds: a delivery counts with its receivers, or a flood of short messages to several rooms would
// hold far more than the log may.
func TestALogCountsWhatItHolds(t *testing.T) {
	const members = 1000
	h := New(Config{OnMessage: func(*Conn, Message) error { return nil }})
	s := h.shards[0]
	s.flushing = true // by nobody, so that everything stays
	a, b := scope{kind: room, name: "a"}, scope{kind: room, name: "b"}
	one := new(Conn)
	for range members {
		if _, err := s.members.Join(a, one); err != nil {
			t.Fatal(err)
		}
		one = new(Conn)
	}
	if _, err := s.members.Join(a, one); err != nil {
		t.Fatal(err)
	}
	tick, sends := []letter{{Message: Message{Type: ws.Text, Data: []byte("tick")}}}, 0
	for s.waiting.Load() < longestLog { // to a list that is another one each time
		without := sends%2 == 0
		s.sendLists([]scope{a, b}, tick, func(c *Conn) int {
			if c != one || without {
				return 0
			}
			return nothing
		})
		sends++
	}
	if most := longestLog / (8 * members); sends > most {
		t.Errorf("%d sends to a list of %d connections fit into the log, want %d at most", sends, members, most)
	}
	for s.head < len(s.log) {
		s.delivered(s.log[s.head])
	}
	if n := s.waiting.Load(); n != 0 {
		t.Errorf("%d bytes wait in an empty log", n)
	}
}

// TestEqualListsShareARound: a burst to the same rooms goes out in one write a receiver.
func TestEqualListsShareARound(t *testing.T) {
	h := New(Config{OnMessage: func(*Conn, Message) error { return nil }})
	s := h.shards[0]
	s.flushing = true
	a, b := scope{kind: room, name: "a"}, scope{kind: room, name: "b"}
	for _, to := range []scope{a, a, b} {
		if _, err := s.members.Join(to, &Conn{}); err != nil {
			t.Fatal(err)
		}
	}
	everybody := func(*Conn) int { return 0 }
	tick := []letter{{Message: Message{Type: ws.Text, Data: []byte("tick")}}}
	for range 100 {
		s.sendLists([]scope{a, b}, tick, everybody)
	}
	if len(s.log) != 1 {
		t.Errorf("100 messages to the same connections are %d rounds, want 1", len(s.log))
	}
	s.send(a, letter{Message: Message{Type: ws.Text, Data: []byte("tock")}}, nil)
	s.sendLists([]scope{a, b}, tick, everybody)
	if len(s.log) != 3 {
		t.Errorf("what was sent in between shares a round: %d rounds, want 3", len(s.log))
	}
}

// TestALogHasRoomForLists: what is reserved has the receivers in it, or many who send at once would each pass with far
// more than they said.
func TestALogHasRoomForLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const members, senders = 1000, 400
		h := New(Config{OnMessage: func(*Conn, Message) error { return nil }})
		s := newShard(h)
		h.shards, s.flushing = []*shard{s}, true // by nobody
		conns := make([]*Conn, members)
		for i := range conns {
			conns[i] = &Conn{hub: h, shard: s}
			if _, err := s.members.Join(scope{kind: room, name: "a"}, conns[i]); err != nil {
				t.Fatal(err)
			}
		}
		var sending sync.WaitGroup
		for i := range senders {
			sending.Go(func() {
				if err := h.To("a", "b").Except(conns[i]).SendText("tick"); err != nil {
					t.Error(err)
				}
			})
		}
		for over := 0; over < senders; {
			synctest.Wait()
			if n := s.waiting.Load(); n > longestLog+2*receiverCost*members {
				t.Errorf("%d bytes are in a log that may have %d", n, longestLog)
			}
			for {
				s.mu.Lock()
				rest := s.log[s.head:]
				s.mu.Unlock()
				if len(rest) == 0 {
					break
				}
				s.delivered(rest[0])
				over++
			}
		}
		sending.Wait()
	})
}

// TestALogHasNoRoomForThoseWhoGetNothing: what a condition leaves over is all that is reserved for.
func TestALogHasNoRoomForThoseWhoGetNothing(t *testing.T) {
	h := New(Config{OnMessage: func(*Conn, Message) error { return nil }})
	s := newShard(h)
	h.shards = []*shard{s}
	conns := make([]*Conn, 100)
	for i := range conns {
		conns[i] = &Conn{hub: h, shard: s}
		if _, err := s.members.Join(scope{kind: room, name: "a"}, conns[i]); err != nil {
			t.Fatal(err)
		}
	}
	tick := []letter{{Message: Message{Type: ws.Text, Data: []byte("tick")}}}
	to := h.To("a").Where(func(c *Conn) bool { return c == conns[0] || c == conns[1] }).Except(conns[0])
	pick, most := to.picker(tick)
	if got, want := to.size(tick, s, pick != nil, most), 4+deliveryCost+receiverCost; got != want {
		t.Errorf("%d bytes are reserved for a message to one connection, want %d", got, want)
	}
	if pick(conns[1]) != 0 || pick(conns[0]) != nothing || pick(conns[2]) != nothing {
		t.Error("the one that is wanted gets nothing, or others get it")
	}
	other := newShard(h) // all of whose members it leaves over
	h.shards = append(h.shards, other)
	if _, err := other.members.Join(scope{kind: room, name: "a"}, &Conn{hub: h, shard: other}); err != nil {
		t.Fatal(err)
	}
	s.flushing, other.flushing = true, true // by nobody
	other.end = 7
	if ends := to.append(tick, pick, most); ends[0] == 0 || ends[1] != 0 {
		t.Errorf("the logs end at %d, want something in the first one alone", ends[:2])
	}
}
