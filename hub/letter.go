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
	pick := t.picker(letters)
	ends := t.append(letters, pick)
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

// append appends letters to the log of every shard that has members, as soon as all of those have room, and returns
// where the logs end then.
func (t Target) append(letters []letter, pick func(c *Conn, in string) bool) (ends [mostShards]uint64) {
	size := 0
	for i := range letters {
		size += len(letters[i].Data) + deliveryCost
	}
	var reserved [mostShards]bool
	for i, s := range t.hub.shards { // always in this order, so that nobody waits in a circle
		if reserved[i] = s.has(t.scope, t.others); reserved[i] {
			s.reserve(size)
		}
	}
	defer func() {
		for i, s := range t.hub.shards {
			if reserved[i] {
				s.free(size)
			}
		}
	}()
	return t.appendNow(letters, pick)
}

// appendNow is append without the waiting. Who is a member does not change between the first log and the last.
func (t Target) appendNow(letters []letter, pick func(c *Conn, in string) bool) (ends [mostShards]uint64) {
	t.hub.sending.RLock()
	defer t.hub.sending.RUnlock()
	for i, s := range t.hub.shards {
		switch {
		case !s.has(t.scope, t.others):
		case pick == nil:
			ends[i] = s.send(t.scope, letters[0], t.except)
		default:
			ends[i] = s.sendList(t.scopes(), letters, pick)
		}
	}
	return ends
}

// picker returns what tells the receivers of a letter among the members; nil when that is simple, for one letter.
// Where's functions are called here, under no lock.
func (t Target) picker(letters []letter) func(c *Conn, in string) bool {
	except := t.except // captured alone, or t would go to the heap for every message
	var names []string
	if len(letters) > 1 {
		for i := range letters {
			names = append(names, letters[i].in)
		}
	}
	switch {
	case len(t.where) > 0:
		wanted := make(map[*Conn]struct{})
		for _, c := range t.conns() {
			wanted[c] = struct{}{}
		}
		return func(c *Conn, in string) bool { _, ok := wanted[c]; return ok && c.speaks(in, names) }
	case len(t.others) > 0 || len(names) > 0:
		return func(c *Conn, in string) bool { return c.speaks(in, names) && !slices.Contains(except, c) }
	default:
		return nil
	}
}

// speaks reports whether a letter for a subprotocol is c's one of those that there are.
func (c *Conn) speaks(in string, all []string) bool {
	name := c.req.Subprotocol
	return len(all) == 0 || name == in || in == all[0] && !slices.Contains(all, name)
}
