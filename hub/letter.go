package hub

import (
	"slices"

	"github.com/fiberwsx/wsx/internal/wire"
)

// letter is a message on its way.
type letter struct {
	Message
	in     string // the subprotocol of those who get it, if each gets an own one
	packed *wire.Packed
	mark   wire.Mark
}

// deliver appends a letter to the logs of the receivers, compressed once for all that share that; or several, of which
// each receiver gets the one for its own subprotocol, or else the first.
func (t Target) deliver(letters ...letter) {
	if !t.populated() {
		return
	}
	for i := range letters {
		letters[i].mark, letters[i].packed = t.mark(), t.hub.engine.Pack(letters[i].Data)
	}
	defer func() {
		for i := range letters {
			letters[i].packed.Free()
		}
	}()
	pick, most := t.picker(letters)
	ends := t.append(letters, pick, most)
	for i, s := range t.hub.shards {
		if ends[i] > 0 && pick == nil {
			s.kick(t.except)
		}
	}
	for i, s := range t.hub.shards {
		if ends[i] > 0 {
			s.pace()
		}
	}
	if t.tally == nil {
		return
	}
	for i, s := range t.hub.shards {
		s.awaitDelivery(ends[i])
	}
	for i := range letters {
		t.tally.add(letters[i].mark.Tally)
	}
}

// populated reports whether t has members.
func (t Target) populated() bool {
	for _, s := range t.hub.shards {
		if !t.none && s.has(t.scope, t.others) {
			return true
		}
	}
	return false
}

// append appends letters to the log of every shard that t reaches, and returns where the logs end then. It waits until
// all of those have room, but not for one that gets its first member meanwhile. most is how many members of a shard get
// a letter at most; nil: as many as there are.
func (t Target) append(letters []letter, pick func(*Conn) int, most map[*shard]int) (ends [mostShards]uint64) {
	var reserved [mostShards]int
	for i, s := range t.hub.shards { // always in this order, so that nobody waits in a circle
		if t.reaches(s, most) {
			reserved[i] = t.size(letters, s, pick != nil, most)
			s.reserve(reserved[i])
		}
	}
	defer func() {
		for i, s := range t.hub.shards {
			if reserved[i] > 0 {
				s.free(reserved[i])
			}
		}
	}()
	return t.appendNow(letters, pick, most)
}

// reaches reports whether a shard has members of the target, and with most whether one of them gets something.
func (t Target) reaches(s *shard, most map[*shard]int) bool {
	return s.has(t.scope, t.others) && (most == nil || most[s] > 0)
}

// size returns how much letters may take in a shard's log, with lists of those who get them or without, but for members
// who come later.
func (t Target) size(letters []letter, s *shard, lists bool, most map[*shard]int) (bytes int) {
	for i := range letters {
		bytes += len(letters[i].Data) + deliveryCost
	}
	if lists {
		members := 0
		for _, to := range t.scopes() {
			members += s.members.Len(to)
		}
		if most != nil {
			members = min(members, most[s])
		}
		bytes += receiverCost * members
	}
	return bytes
}

// appendNow is append without the waiting. Who is a member does not change between the first log and the last.
func (t Target) appendNow(letters []letter, pick func(*Conn) int, most map[*shard]int) (ends [mostShards]uint64) {
	t.hub.sending.RLock()
	defer t.hub.sending.RUnlock()
	for i, s := range t.hub.shards {
		switch {
		case !t.reaches(s, most):
		case pick == nil:
			ends[i] = s.send(t.scope, letters[0], t.except)
		default:
			ends[i] = s.sendLists(t.scopes(), letters, pick)
		}
	}
	return ends
}

// nothing is the place of the letter for a member that gets none.
const nothing = -1

// picker returns what tells which letter a member gets, nil when that is simple, for one letter; and how many members
// of each shard get one at most, nil when that is not known. Where's functions are called here, under no lock.
func (t Target) picker(letters []letter) (pick func(*Conn) (place int), most map[*shard]int) {
	switch {
	case len(t.where) > 0:
		wanted, most := make(map[*Conn]struct{}), make(map[*shard]int)
		for _, c := range t.conns() {
			wanted[c] = struct{}{}
			most[c.shard]++
		}
		return chooser(wanted, nil, subprotocols(letters)), most
	case len(t.others) > 0 || len(letters) > 1:
		return chooser(nil, t.except, subprotocols(letters)), nil
	default:
		return nil, nil
	}
}

// chooser picks among those who are wanted, all if that is nil, but for some. It is apart from picker, because what it
// captures goes to the heap.
func chooser(wanted map[*Conn]struct{}, except []*Conn, subprotocols []string) func(*Conn) int {
	return func(c *Conn) int {
		if _, ok := wanted[c]; !ok && wanted != nil || slices.Contains(except, c) {
			return nothing
		}
		return max(0, slices.Index(subprotocols, c.req.Subprotocol))
	}
}

// subprotocols returns those that the letters are for; nil when one is for all.
func subprotocols(letters []letter) (all []string) {
	if len(letters) > 1 {
		for i := range letters {
			all = append(all, letters[i].in)
		}
	}
	return all
}
