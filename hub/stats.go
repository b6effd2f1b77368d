package hub

import (
	"sync/atomic"
	"time"
)

// counters are the hub's running totals.
type counters struct {
	opened, closed atomic.Uint64
	detached       atomic.Int64 // that there are now
	in, out        atomic.Uint64
	unsent         atomic.Uint64 // accepted for sending and lost with their connection
	shed           atomic.Uint64 // by their policy
	conflated      atomic.Uint64
	rateLimited    atomic.Uint64
	panics         atomic.Uint64
	strangers      atomic.Uint64 // that were gone before they said who they are
	invalid        atomic.Uint64
	late           atomic.Uint64 // replies
	unnumbered     atomic.Uint64
	lost           atomic.Uint64 // read, and refused by batches that a shutdown had ended
	givenBack      atomic.Uint64 // given up by the batches, and refused with a nack
	refusedFull    atomic.Uint64
	refusedDrain   atomic.Uint64
	refusedLoad    atomic.Uint64
	acks, nacks    atomic.Uint64
}

// Stats is what a hub has done since [New]. Connections opened less those closed are the ones there are.
type Stats struct {
	Conns         int           // there are now
	Detached      int           // of these, on a descriptor of their own: plain TCP on Linux
	InPlace       int           // of these, on a plain net.Conn: TLS, wrapped listeners, other systems, no descriptor to be had
	Opened        uint64        // connections
	Closed        uint64        // connections
	Strangers     uint64        // connections besides, whose client never said who it is; see [Request.AuthFirst]
	MessagesIn    uint64        // received, those over the rate included
	MessagesOut   uint64        // sent to a receiver, the next three included
	Unsent        uint64        // queued, and lost because the connection ended or was too slow
	OutboxDropped uint64        // dropped by their [Policy], because the outbox was full
	Conflated     uint64        // replaced by newer ones with the same key
	OutboxBytes   int           // of memory that wait for receivers now; see [Config.OutboxBudget]
	PartialBytes  int           // of memory for messages that are not whole now; see [Config.PartialBudget]
	RateLimited   uint64        // received and dropped
	Invalid       uint64        // received, and refused as no event, an unknown one, or one with a body that does not fit
	LateReplies   uint64        // received, and nobody waits for them, or never did; see [Conn.Request]
	Panics        uint64        // of callbacks, batch handlers excluded
	RefusedFull   uint64        // reservations over MaxConns
	RefusedDrain  uint64        // reservations during a shutdown
	RefusedLoad   uint64        // reservations while the batches held too much
	Unnumbered    uint64        // received without a hello, or on a stream that another connection has: they do not count
	BatchAccepted uint64        // messages given to the batches; for these and the next ones see [Report]
	BatchHandled  uint64        // messages that OnBatch has taken
	DeadLettered  uint64        // messages that DeadLetter has taken
	Rejected      uint64        // messages that neither has, refused with a nack where the client has asked for acks
	Dropped       uint64        // messages that made room for newer ones
	Abandoned     uint64        // messages that were given up: the hub ended or, without acks, OnBatch took too long
	BatchPending  uint64        // messages that wait or are being handled: Accepted less the five before
	BatchBytes    uint64        // the payload bytes of those
	Acks, Nacks   uint64        // sent
	Paused        int           // connections that are not read now: their window, their batch or the budget is full
	Pauses        uint64        // of connections, those of now included
	PausedTime    time.Duration // of all pauses that are over
	Streams       int           // that are known
	Batches       uint64        // handled
	BatchRetries  uint64        // attempts after the first
}

// Stats returns the figures as they are now. It costs some atomic reads and a few short locks, whatever the number of
// connections.
func (h *Hub) Stats() Stats {
	n, detached := h.Len(), int(h.count.detached.Load())
	waiting, partial := h.engine.Held()
	closed := h.count.closed.Load() // before those opened, which are never fewer then
	s := Stats{
		Conns:         n,
		Detached:      min(n, detached),
		InPlace:       max(0, n-detached),
		Opened:        h.count.opened.Load(),
		Closed:        closed,
		Strangers:     h.count.strangers.Load(),
		MessagesIn:    h.count.in.Load(),
		MessagesOut:   h.count.out.Load(),
		Unsent:        h.count.unsent.Load(),
		OutboxDropped: h.count.shed.Load(),
		Conflated:     h.count.conflated.Load(),
		OutboxBytes:   int(waiting),
		PartialBytes:  int(partial),
		RateLimited:   h.count.rateLimited.Load(),
		Invalid:       h.count.invalid.Load(),
		LateReplies:   h.count.late.Load(),
		Panics:        h.count.panics.Load(),
		RefusedFull:   h.count.refusedFull.Load(),
		RefusedDrain:  h.count.refusedDrain.Load(),
		RefusedLoad:   h.count.refusedLoad.Load(),
		Unnumbered:    h.count.unnumbered.Load(),
		Acks:          h.count.acks.Load(),
		Nacks:         h.count.nacks.Load(),
		Streams:       h.streams.len(),
		Paused:        int(h.paused.now.Load()),
		Pauses:        h.paused.all.Load(),
		PausedTime:    time.Duration(h.paused.took.Load()),
	}
	if h.batches != nil {
		lost, givenBack := h.count.lost.Load(), h.count.givenBack.Load() // the batches count first what is given back
		b := h.batches.Stats()
		s.BatchAccepted, s.BatchHandled, s.Abandoned = b.Accepted+lost, b.Handled, b.Abandoned+lost-givenBack
		s.DeadLettered, s.Rejected, s.BatchBytes = b.DeadLettered, b.Rejected+givenBack, b.PendingBytes
		s.BatchPending, s.Batches, s.BatchRetries, s.Dropped = b.Pending, b.Batches, b.Retries, b.Dropped
	}
	return s
}
