package peer

import "sync"

// Members are the connections that a broadcast goes to. The zero value is empty. It is safe for concurrent use.
type Members[M comparable] struct {
	mu  sync.RWMutex
	all map[M]struct{}
}

// Join adds m. When leave returns, no [Members.Each] has m in hand any more.
func (s *Members[M]) Join(m M) (leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = make(map[M]struct{})
	}
	s.all[m] = struct{}{}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, m)
	}
}

// Each calls f for each member, the usual way: in a loop under the lock. Several may run at once.
func (s *Members[M]) Each(f func(M)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for m := range s.all {
		f(m)
	}
}
