package main

import "sync"

// totals is what /api/stats tells, in readings. Accepted = Stored + Rejected + those in flight, always.
type totals struct {
	Accepted  int64 `json:"accepted"`  // taken from a device
	Stored    int64 `json:"stored"`    // committed, by this and every earlier process on the database
	Rejected  int64 `json:"rejected"`  // answered with an error
	Connected int   `json:"connected"` // connections of devices
}

// stats counts readings. Its methods may be called at once; each changes or shows all figures at one moment.
type stats struct {
	mu     sync.Mutex
	totals totals // without Connected, which the hub knows
}

// newStats goes on from what the database holds.
func newStats(stored int64) *stats {
	return &stats{totals: totals{Accepted: stored, Stored: stored}}
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
