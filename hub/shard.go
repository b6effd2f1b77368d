package hub

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/rooms"
)

const (
	// mostShards bounds the shards of a hub; there is one a processor.
	mostShards = 16
	// longestRound is how many bytes a round collects before the next one begins.
	longestRound = 64 << 10
	// longestLog is how many bytes of a shard may wait to be delivered. Whoever sends more waits.
	longestLog = 1 << 20
	// deliveryCost is how many bytes a delivery counts for besides its messages and its list.
	deliveryCost = 256
	// receiverCost is how many more it counts for with each receiver of a list.
	receiverCost = 8
)

// shard is a part of a hub's connections, with the log of what was sent to them as members of something. Senders
// append to the log; a flusher, a goroutine that exists only while there is something to deliver, takes one round after
// the other and gives it to each member. What is sent meanwhile collects in the next round, which goes out in one
// write.
//
// A connection's membership changes only when it has been given all of the log. So whoever is a member when a round is
// delivered, and has not come further in the log yet, was one when it was sent.
type shard struct {
	hub     *Hub
	members *rooms.Registry[scope, *Conn]
	run     func() // flush, bound once
	flusher sync.WaitGroup
	busy    atomic.Bool  // the log is not empty
	lagging atomic.Bool  // slow is not empty
	waiting atomic.Int64 // bytes in log, and those that have room there

	mu       sync.Mutex
	space    sync.Cond // the log has become shorter
	log      []delivery
	head     int    // of the deliveries in log that are not over
	end      uint64 // of the log
	given    uint64 // where the deliveries end that are over
	lists    int    // deliveries in log that have a list
	pending  map[scope]uint64
	flushing bool
	slow     []laggard
}

// delivery is a round and who gets it.
type delivery struct {
	to     scope   // its members
	list   []*Conn // these instead, when not nil
	round  *wire.Round
	closed bool // nothing is appended any more
}

// cost returns how many bytes the delivery holds besides its messages.
func (d *delivery) cost() int { return deliveryCost + receiverCost*len(d.list) }

// open reports whether more may be appended.
func (d *delivery) open() bool { return !d.closed && d.round.Len() < longestRound }

func (d *delivery) isFor(c *Conn) bool {
	if d.list != nil {
		return slices.Contains(d.list, c)
	}
	return d.to.reaches(c) && slices.Contains(c.scopes, d.to)
}

func newShard(h *Hub) *shard {
	s := &shard{hub: h, members: rooms.New[scope, *Conn](rooms.Config{}), pending: make(map[scope]uint64)}
	s.space.L = &s.mu
	s.run = s.flush
	return s
}

// has reports whether any of the scopes has members.
func (s *shard) has(one scope, others []scope) bool {
	return s.members.Len(one) > 0 || slices.ContainsFunc(others, func(to scope) bool { return s.members.Len(to) > 0 })
}

// send appends a message to the members of a scope, and returns the end of the log. What it queues for those who do not
// get it goes out with kick.
func (s *shard) send(to scope, l letter, except []*Conn) (end uint64) {
	s.mu.Lock()
	for _, c := range except {
		s.catchUpLocked(c)
	}
	d := s.tailLocked(to)
	s.appendLocked(d, l)
	end = s.end
	s.pending[to] = end
	for _, c := range except {
		s.passLocked(c)
	}
	s.mu.Unlock()
	return end
}

// sendLists appends each letter to those members of any of the scopes for whom pick returns its place, one copy each,
// and returns the end of the log.
func (s *shard) sendLists(scopes []scope, letters []letter, pick func(*Conn) int) (end uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lists := s.listsLocked(scopes, len(letters), pick)
	for i, l := range letters {
		if len(lists[i]) > 0 {
			s.appendLocked(s.listTailLocked(lists[i]), l)
		}
	}
	return s.end
}

// listsLocked returns who gets which of n letters.
func (s *shard) listsLocked(scopes []scope, n int, pick func(*Conn) int) [][]*Conn {
	lists := make([][]*Conn, n)
	var seen map[*Conn]struct{}
	if len(scopes) > 1 {
		seen = make(map[*Conn]struct{})
	}
	for _, to := range scopes {
		for _, c := range s.members.Snapshot(to) {
			if _, ok := seen[c]; ok || !to.reaches(c) {
				continue
			}
			if seen != nil {
				seen[c] = struct{}{}
			}
			if i := pick(c); i != nothing {
				lists[i] = append(lists[i], c)
			}
		}
	}
	return lists
}

// lockMembers locks who is a member, here and elsewhere, for a change of c. A message that is being sent is in the log
// of no shard then, or of all: else somebody who has come after its first receiver got it could get it too. Only who is
// over leaves without it. Most of what waits for c in the log is queued before, so that this takes little time.
func (s *shard) lockMembers(c *Conn) {
	s.settle(c)
	s.hub.sending.Lock()
	s.mu.Lock()
}

func (s *shard) unlockMembers() {
	s.mu.Unlock()
	s.hub.sending.Unlock()
}

// awaitDelivery waits until what lies before a position of the log has reached the outboxes.
func (s *shard) awaitDelivery(end uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.given < end {
		s.space.Wait()
	}
}

// reserve waits until the log is short enough, and takes room there. The flusher waits for nobody, so that is soon.
func (s *shard) reserve(size int) {
	if s.tryReserve(size) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.tryReserve(size) {
		s.space.Wait()
	}
}

func (s *shard) tryReserve(size int) bool {
	for {
		n := s.waiting.Load()
		if n >= longestLog {
			return false
		}
		if s.waiting.CompareAndSwap(n, n+int64(size)) {
			return true
		}
	}
}

// free gives back what was reserved; what was appended counts by itself. Whoever makes the log short enough wakes those
// who wait for that.
func (s *shard) free(size int) {
	if left := s.waiting.Add(-int64(size)); left < longestLog && left+int64(size) >= longestLog {
		s.mu.Lock()
		s.space.Broadcast()
		s.mu.Unlock()
	}
}

// tailLocked returns the delivery that a message to the scope is appended to.
func (s *shard) tailLocked(to scope) *delivery {
	if n := len(s.log); n > s.head {
		if d := &s.log[n-1]; d.list == nil && d.to == to && d.open() {
			return d
		}
	}
	return s.beginLocked(delivery{to: to})
}

// listTailLocked returns the delivery that a message to these connections is appended to.
func (s *shard) listTailLocked(list []*Conn) *delivery {
	if n := len(s.log); n > s.head {
		if d := &s.log[n-1]; d.open() && slices.Equal(d.list, list) {
			return d
		}
	}
	s.lists++
	return s.beginLocked(delivery{list: list})
}

func (s *shard) beginLocked(d delivery) *delivery {
	d.round = wire.NewRound(s.end)
	s.waiting.Add(int64(d.cost()))
	s.log = append(s.log, d)
	return &s.log[len(s.log)-1]
}

func (s *shard) appendLocked(d *delivery, l letter) {
	before := d.round.Len()
	d.round.AppendMarked(l.Type, l.Data, l.packed, l.mark)
	s.waiting.Add(int64(d.round.Len() - before))
	s.end = d.round.End()
	s.busy.Store(true)
	if !s.flushing {
		s.flushing = true
		s.flusher.Add(1)
		go s.run()
	}
}

// catchUpLocked queues for c what it has not been given of the log. It goes out with what is queued next, or with Kick.
func (s *shard) catchUpLocked(c *Conn) {
	if c.shard != s {
		return
	}
	if s.lists > 0 || slices.ContainsFunc(c.scopes, func(to scope) bool { _, ok := s.pending[to]; return ok }) {
		for i := s.head; i < len(s.log); i++ {
			if d := &s.log[i]; d.isFor(c) {
				n, _ := c.wire.QueueRound(d.round)
				s.hub.count.out.Add(uint64(n))
			}
		}
	}
	c.wire.Skip(s.end)
}

// passLocked lets c not have what was appended last.
func (s *shard) passLocked(c *Conn) {
	if c.shard == s {
		c.wire.Skip(s.end)
	}
}

// kick writes what send has queued for those who do not get a message.
func (s *shard) kick(except []*Conn) {
	for _, c := range except {
		if c.shard == s {
			c.wire.Kick()
		}
	}
}

// settle queues for c what was sent to it as a member of something, so that what is sent to it next comes behind.
func (s *shard) settle(c *Conn) {
	if s.busy.Load() {
		s.mu.Lock()
		s.catchUpLocked(c)
		s.mu.Unlock()
	}
}
