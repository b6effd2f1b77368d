package hub

import "log/slog"

// Report says what has become of the messages that a hub with OnBatch has taken. Each of them stands in one place:
//
//	Accepted = Committed + DeadLettered + Nacked + Dropped + Abandoned + Pending
//
// That holds at any time, whatever connections, handlers and stores do. What a limit keeps out was never accepted:
// [Stats] has it as RateLimited, Unnumbered and Invalid.
type Report struct {
	// Accepted is how many messages were read and given to the batches.
	Accepted uint64
	// Committed is how many of them OnBatch has returned nil for, and has not rejected.
	Committed uint64
	// DeadLettered is how many DeadLetter has returned nil for.
	DeadLettered uint64
	// Nacked is how many neither has taken. Clients with acks have a nack for each; of the others OnError is told.
	Nacked uint64
	// Dropped is how many made room for newer ones; see [batch.Config.DropOldest].
	Dropped uint64
	// Abandoned is how many were given up: because the hub ended or, for clients without acks, because OnBatch took too
	// long. None of them was acknowledged.
	Abandoned uint64
	// Pending is how many wait or are being handled.
	Pending uint64
}

// Report returns the figures as they are now, and as they were at the end of the shutdown once [Hub.Shutdown] has
// returned. Then Pending is 0: what a handler that did not return in time still had counts as abandoned, though the
// handler may store it yet. It costs as much as [Hub.Stats].
func (h *Hub) Report() Report {
	h.mu.Lock()
	s := h.shutdown
	h.mu.Unlock()
	if s != nil {
		select {
		case <-s.done:
			return s.report
		default:
		}
	}
	return h.Stats().report()
}

func (s Stats) report() Report {
	return Report{
		Accepted:     s.BatchAccepted,
		Committed:    s.BatchHandled,
		DeadLettered: s.DeadLettered,
		Nacked:       s.Rejected,
		Dropped:      s.Dropped,
		Abandoned:    s.Abandoned,
		Pending:      s.BatchPending,
	}
}

// final returns the report of a hub that has ended.
func (r Report) final() Report {
	r.Abandoned += r.Pending
	r.Pending = 0
	return r
}

// LogValue puts every term into a log under its name.
func (r Report) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Uint64("accepted", r.Accepted), slog.Uint64("committed", r.Committed),
		slog.Uint64("dead_lettered", r.DeadLettered), slog.Uint64("nacked", r.Nacked), slog.Uint64("dropped", r.Dropped),
		slog.Uint64("abandoned", r.Abandoned), slog.Uint64("pending", r.Pending),
	)
}
