package hub

import "github.com/fiberwsx/wsx/internal/wire"

// Policy says what becomes of a message for a receiver whose outbox is full; see [Config.OutboxMessages]. As long as
// the socket takes what it is given there is no difference. Nothing but messages is ever dropped, and no message that a
// writer has in hand: that is the one that is written in part. It may be 4 KiB of messages on systems other than Linux
// and on a wrapped connection without a NetConn method, which TLS has; and what a handler has sent to its own client
// while it had more messages of that one to handle, which goes out in one go. What a policy drops is counted in [Stats]
// and by [Target.Tally]. The zero value is Close.
type Policy struct {
	is  wire.Policy
	key string
}

// The policies without a key.
var (
	// Close waits for the receiver a little, and closes it with 4006 when that does not help: it can tell that it
	// has missed something, and come back.
	Close = Policy{}
	// DropNewest drops the message.
	DropNewest = Policy{is: wire.PolicyDropNewest}
	// DropOldest drops the oldest messages that wait and were sent with DropOldest, which make room for those of every
	// other policy too. When there is none, the message itself is dropped.
	DropOldest = Policy{is: wire.PolicyDropOldest}
)

// Conflate replaces the message that waits and was sent with Conflate and the same key, so that a receiver that was
// away gets the latest of each key. The message goes to the end of the queue: no receiver gets messages in another
// order than that in which they were sent. When the outbox is full even so, of too many keys, Conflate does as Close:
// the latest of each could not be kept.
func Conflate(key string) Policy { return Policy{is: wire.PolicyConflate, key: key} }

// Tally is what has become of messages by the time that Send returns; see [Target.Tally]. What happens later to those
// that are queued is counted in [Stats] alone.
type Tally struct {
	// Queued counts the receivers for which a message was written or queued.
	Queued int
	// Dropped counts those for which it was not, because their outbox was full.
	Dropped int
	// Displaced counts older messages that it has replaced, or that have made room for it.
	Displaced int
}

func (t *Tally) add(counted *wire.Tally) {
	t.Queued += int(counted.Queued.Load())
	t.Dropped += int(counted.Dropped.Load())
	t.Displaced += int(counted.Displaced.Load())
}

// With returns t with another policy than [Config.Policy].
func (t Target) With(p Policy) Target {
	t.policy = p
	return t
}

// Tally returns t with a count: Send adds to it what has become of its message before it returns. For that it waits
// until every receiver's outbox has the message or has dropped it, which no receiver can hold up. One goroutine at a
// time may send with a Tally.
func (t Target) Tally(to *Tally) Target {
	t.tally = to
	return t
}

// mark returns how a message is to be treated, for the outbox.
func (t Target) mark() wire.Mark {
	m := wire.Mark{Policy: t.policy.is, Key: t.policy.key}
	if t.tally != nil {
		m.Tally = new(wire.Tally)
	}
	return m
}
