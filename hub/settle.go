package hub

import (
	"context"

	"github.com/fiberwsx/wsx/batch"
)

// The codes of a nack.
const (
	nackRejected = "rejected" // the handler will never take it
	nackFailed   = "failed"   // it could not be stored; it may be sent again
	nackRate     = "rate_limited"
)

// settled tells the streams what has become of the messages of a batch. Messages that were given up because the hub
// ends are not settled: nobody acknowledges them, and their clients send them again.
func (h *Hub) settled(b *batch.Batch[entry], rejected []batch.Rejected[entry]) {
	h.budget.give(int64(b.Bytes() + overhead*b.Len()))
	if h.cfg.Ack == AckNone {
		return
	}
	var same span
	for i, e := range b.All() {
		var r *batch.Rejected[entry]
		if len(rejected) > 0 && rejected[0].Index == i {
			r, rejected = &rejected[0], rejected[1:]
		}
		if e.number == 0 || r != nil && r.Cause == batch.GivenUp && h.Draining() {
			continue
		}
		if r != nil && !r.Delivered {
			same.settle()
			e.refuse(r.Cause)
			if r.Cause == batch.GivenUp {
				h.count.givenBack.Add(1)
			}
		}
		same.add(e, len(b.Payload(i)))
	}
	same.settle()
}

// span is messages of one stream with consecutive numbers, which are settled together.
type span struct {
	stream *stream
	run    run
	bytes  int
}

func (s *span) add(e entry, bytes int) {
	if to := e.conn.stream.Load(); s.stream != to || e.number != s.run.last+1 {
		s.settle()
		s.stream, s.run.first = to, e.number
	}
	s.run.last = e.number
	s.bytes += bytes
}

func (s *span) settle() {
	if s.stream != nil {
		s.stream.settle(s.run, s.bytes)
	}
	*s = span{}
}

// refuse tells the client that its message was not taken.
func (e entry) refuse(cause batch.Cause) {
	if cause == batch.ByHandler {
		e.conn.stream.Load().refuse(e.number, nackRejected, false)
	} else {
		e.conn.stream.Load().refuse(e.number, nackFailed, true)
	}
}

// deadLetter hands rejected messages to Config.DeadLetter.
func (h *Hub) deadLetter(ctx context.Context, rejected []batch.Rejected[entry]) error {
	all := make([]Rejected, len(rejected))
	for i, r := range rejected {
		all[i] = Rejected{Item: r.Item.item(r.Payload), Poison: r.Cause == batch.Poison, Err: r.Err}
	}
	return h.cfg.DeadLetter(ctx, all)
}
