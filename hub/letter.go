package hub

import (
	"slices"

	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/internal/wire"
)

// letter is a message on its way.
type letter struct {
	Message
	in     codec.Codec // only those get it who speak it; nil: everybody
	packed *wire.Packed
	mark   wire.Mark
}

// deliver appends letters to the logs of the receivers, each compressed once for all that share that. Those who get
// one are fixed once for all.
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
	pick := t.picker(letters[0].in != nil)
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
func (t Target) append(letters []letter, pick func(*Conn, codec.Codec) bool) (ends [mostShards]uint64) {
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
	ends = t.appendNow(letters, pick)
	for i, s := range t.hub.shards {
		if reserved[i] {
			s.free(size)
		}
	}
	return ends
}

// appendNow is append without the waiting. Who is a member does not change between the first log and the last.
func (t Target) appendNow(letters []letter, pick func(*Conn, codec.Codec) bool) (ends [mostShards]uint64) {
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

// picker returns what tells the receivers of what is in a codec among the members; nil when that is simple. each: not
// everybody gets the same. Where's functions are called here, under no lock.
func (t Target) picker(each bool) func(c *Conn, in codec.Codec) bool {
	except := t.except // captured alone, or t would go to the heap for every message
	switch {
	case len(t.where) > 0:
		wanted := make(map[*Conn]struct{})
		for _, c := range t.conns() {
			wanted[c] = struct{}{}
		}
		return func(c *Conn, in codec.Codec) bool { _, ok := wanted[c]; return ok && c.speaks(in) }
	case len(t.others) > 0 || each:
		return func(c *Conn, in codec.Codec) bool { return c.speaks(in) && !slices.Contains(except, c) }
	default:
		return nil
	}
}
