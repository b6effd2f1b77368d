package hub

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	shutdownReason = "server shutting down"
	// wave is how many connections are closed at once, and waveGap the longest pause after them, so that the clients do
	// not all come back in the same moment.
	wave    = 64
	waveGap = 10 * time.Millisecond
	// grace is how long a shutdown that has run out of time still waits for clients to take their close frame, and for
	// callbacks to notice that it is over.
	grace = 500 * time.Millisecond
)

// shutdown is one run of [Hub.Shutdown].
type shutdown struct {
	closing bool          // connections are being closed; guarded by Hub.mu
	done    chan struct{} // closed when it is over
	err     error         // set before done
	report  Report        // likewise
}

// closing reports whether the shutdown has begun to close connections.
func (h *Hub) closing() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.shutdown != nil && h.shutdown.closing
}

// Shutdown ends the hub in order: new connections are refused; readers stop after what they have read; batches are
// handed over at once and finished or retried; every connection is closed with the ShutdownStatus, in jittered waves,
// and has the close timeout to answer; what is left is cut off. It takes at most the DrainTimeout, or less when ctx
// ends before, and a second for what it has cut off.
//
// It returns nil when nothing was abandoned and every callback has returned, though clients may have been cut off, and
// a [*ShutdownError] otherwise; the log and [Hub.Report] have the figures. It does not end callbacks that do not
// return, nor the HTTP server. Further calls wait for the first and return the same, or the error of their own ctx.
func (h *Hub) Shutdown(ctx context.Context) error {
	s, first := h.beginShutdown()
	if first {
		s.err = h.drain(ctx, s)
		close(s.done)
		return s.err
	}
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (h *Hub) beginShutdown() (s *shutdown, first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.shutdown != nil {
		return h.shutdown, false
	}
	h.shutdown = &shutdown{done: make(chan struct{})}
	close(h.draining)
	return h.shutdown, true
}

func (h *Hub) drain(ctx context.Context, s *shutdown) error {
	began := time.Now()
	if d := h.cfg.DrainTimeout; d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	h.pushBatches()
	h.stopReaders(ctx)
	h.finishBatches(ctx)
	clients := h.closeAll(ctx, s)
	forced := h.waitOrForce(ctx)
	h.monitor.Close()
	if h.ages != nil {
		h.ages.Close()
	}
	h.expiries.close()
	h.acker.Stop() // what is due went out with the close frames
	for _, s := range h.shards {
		s.flusher.Wait()
	}
	return h.result(s, began, clients, forced)
}

// pushBatches has everything handled that waits for company: readers may wait for that. It does not wait.
func (h *Hub) pushBatches() {
	if h.batches != nil {
		_ = h.batches.Flush(ended)
	}
}

// stopReaders waits until no message is in hand, for half of the time at most: the rest is for the batches.
func (h *Hub) stopReaders(ctx context.Context) {
	if d := h.cfg.DrainTimeout / 2; d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	var stopped []<-chan struct{}
	for _, c := range h.everyone() {
		stopped = append(stopped, c.wire.Hold())
	}
	for _, parked := range stopped {
		select {
		case <-parked:
		case <-ctx.Done():
			return
		}
	}
}

func (h *Hub) finishBatches(ctx context.Context) {
	if h.batches == nil {
		return
	}
	if err := h.batches.Close(ctx); err != nil {
		h.log.Error("websocket batches not finished", "error", quoted(err.Error()))
	}
}

// closeAll sends everybody the close frame, and returns how many that were.
func (h *Hub) closeAll(ctx context.Context, s *shutdown) int {
	h.mu.Lock()
	s.closing = true
	adopted := h.adoptedLocked()
	h.mu.Unlock()
	n := 0
	for _, c := range h.everyone() {
		c.goAway()
		if n++; n%wave == 0 {
			pause(ctx, rand.N(waveGap))
		}
	}
	for _, end := range adopted {
		end(false)
	}
	return n + len(adopted)
}

// goAway closes because of the shutdown.
func (c *Conn) goAway() { _ = c.Close(c.hub.cfg.ShutdownStatus, shutdownReason) }

func (h *Hub) adoptedLocked() []func(force bool) {
	var ends []func(bool)
	for r := range h.reserved {
		if r.onClose != nil {
			ends = append(ends, r.onClose)
		}
	}
	return ends
}

// waitOrForce waits until every connection is over, and cuts off those that are not when time has run out. It returns
// how many that were.
func (h *Hub) waitOrForce(ctx context.Context) (forced int) {
	idle := h.wait()
	select {
	case <-idle:
		return 0
	case <-ctx.Done():
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-idle:
		return 0
	case <-t.C:
	}
	for _, c := range h.everyone() {
		c.wire.Abort()
		forced++
	}
	h.mu.Lock()
	adopted := h.adoptedLocked()
	h.mu.Unlock()
	for _, end := range adopted {
		end(true)
		forced++
	}
	t.Reset(grace)
	select {
	case <-idle:
	case <-t.C:
	}
	return forced
}

// result says in the log how the shutdown went.
func (h *Hub) result(run *shutdown, began time.Time, clients, forced int) error {
	h.mu.Lock()
	stuck := len(h.reserved)
	h.mu.Unlock()
	s := h.Stats()
	run.report = s.report().final()
	h.log.Info("websocket hub drained",
		"took", time.Since(began), "clients", clients, "forced", forced, "stuck", stuck,
		"messages_in", s.MessagesIn, "messages_out", s.MessagesOut, "unsent", s.Unsent,
		"report", run.report)
	if lost := run.report.Abandoned; lost > 0 || stuck > 0 {
		return &ShutdownError{Abandoned: lost, Stuck: stuck}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
