package heartbeat

import "time"

// Skip moves the clock of m on and does what is due then, in place of its timer.
func (m *Monitor) Skip(d time.Duration) {
	m.mu.Lock()
	m.start = m.start.Add(-d)
	m.mu.Unlock()
	m.turn()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.timer.Stop()
	m.armed = 0 // so that nothing winds it up
}
