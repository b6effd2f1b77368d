package main

import (
	"slices"
	"sync"
	"time"
)

// totals is what /api/stats tells, in readings. Accepted = Stored + Rejected + those in flight, always.
type totals struct {
	Accepted  int64 `json:"accepted"`  // taken from a device
	Stored    int64 `json:"stored"`    // committed, by this and every earlier process on the database
	Rejected  int64 `json:"rejected"`  // answered with an error
	Connected int   `json:"connected"` // connections of devices
}

// delivery is what /api/stats tells of messages, of which each holds one reading or more.
type delivery struct {
	Unsettled    uint64  `json:"unsettled"`       // read, and neither stored nor a dead letter
	Paused       int     `json:"paused"`          // devices that are not read now: what they have sent waits for the database
	Pauses       uint64  `json:"pauses"`          // how often that was so
	PausedMS     int64   `json:"paused_ms"`       // and for how long in sum, those of now aside
	DeadLetters  int64   `json:"dead_letters"`    // ever written, by this and every earlier process on the database
	Duplicates   int64   `json:"duplicates"`      // came again although they were stored, and were skipped
	Gaps         int64   `json:"gaps"`            // numbers that were left out: messages that nobody stored
	Acks         uint64  `json:"acks"`            // sent
	Nacks        uint64  `json:"nacks"`           // sent
	AckMS        float64 `json:"ack_ms"`          // from reading a message to its commit: the median of the newest ones
	AckSlowMS    float64 `json:"ack_slowest_ms"`  // and the slowest of them
	DatabaseAway float64 `json:"database_away_s"` // seconds since the database went away; 0: it is there
}

// maxLatencies is how many of the newest messages the latency is told of.
const maxLatencies = 1024

// stats counts readings. Its methods may be called at once; each changes or shows all figures at one moment.
type stats struct {
	mu     sync.Mutex
	totals totals   // without Connected, which the hub knows
	told   delivery // without what the hub knows
	took   [maxLatencies]time.Duration
	seen   int // latencies; took has the newest
}

// newStats goes on from what the database holds.
func newStats(stored, deadLetters int64) *stats {
	return &stats{totals: totals{Accepted: stored, Stored: stored}, told: delivery{DeadLetters: deadLetters}}
}

// accept counts readings that are about to be stored or rejected.
func (s *stats) accept(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.totals.Accepted += int64(n)
}

// settle counts accepted readings whose fate is known.
func (s *stats) settle(stored, rejected int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.totals.Stored += int64(stored)
	s.totals.Rejected += int64(rejected)
}

func (s *stats) snapshot() totals {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.totals
}

// deliver counts messages that are stored, and how long each took.
func (s *stats) deliver(o outcome, messages []message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told.Duplicates += int64(o.duplicates)
	s.told.Gaps += int64(o.gaps)
	for _, m := range messages {
		if m.reason != "" {
			s.told.DeadLetters++
		}
		s.took[s.seen%maxLatencies] = time.Since(m.at)
		s.seen++
	}
}

func (s *stats) delivery() delivery {
	s.mu.Lock()
	told, took := s.told, slices.Clone(s.took[:min(s.seen, maxLatencies)])
	s.mu.Unlock()
	if n := len(took); n > 0 {
		slices.Sort(took)
		told.AckMS = float64(took[n/2].Microseconds()) / 1000
		told.AckSlowMS = float64(took[n-1].Microseconds()) / 1000
	}
	return told
}
