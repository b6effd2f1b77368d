package heartbeat

import (
	"math/rand/v2"
	"time"
)

// turn is what the timer calls: it does what is due, and winds the timer up again.
func (m *Monitor) turn() {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return
	}
	m.ticks.Add(1)
	defer m.ticks.Done()
	m.armed = -1
	due := m.dueLocked()
	m.mu.Unlock()
	for _, e := range due {
		m.visit(e)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.count > 0 && !m.closed {
		m.armLocked(m.nextLocked())
	}
}

// dueLocked takes the peers off the wheel for whom something is due.
func (m *Monitor) dueLocked() []*Entry {
	var due []*Entry
	now := int64(m.elapsed() / m.tick)
	slots := int64(len(m.slots))
	for first := max(m.cursor, now-slots+1); first <= now; first++ {
		for e := m.slots[first%slots]; e != nil; {
			next := e.next
			if e.due <= now {
				m.unlistLocked(e)
				due = append(due, e)
			}
			e = next
		}
	}
	m.cursor = max(m.cursor, now+1)
	return due
}

// nextLocked returns the first tick whose slot is not empty. What waits there may be due a turn of the wheel later.
func (m *Monitor) nextLocked() int64 {
	slots := int64(len(m.slots))
	for i := m.cursor; i < m.cursor+slots; i++ {
		if m.slots[i%slots] != nil {
			return i
		}
	}
	return m.cursor
}

// visit pings a peer, or draws the conclusion from its silence.
func (m *Monitor) visit(e *Entry) {
	if !m.watched(e) {
		return
	}
	now := m.elapsed()
	if e.waiting {
		e.waiting = e.peer.Heard().Before(m.start.Add(e.pinged))
	}
	next := e.pinged + m.period()
	switch {
	case e.waiting && now-e.pinged >= m.timeout:
		m.Remove(e)
		e.peer.Expire()
		return
	case e.waiting:
		next = e.pinged + m.timeout
	case next <= now:
		e.peer.Ping(m.start.Add(now))
		e.pinged, e.waiting = now, m.timeout > 0
		next = now + m.period()
		if e.waiting {
			next = min(next, now+m.timeout)
		}
	}
	m.list(e, next)
}

func (m *Monitor) list(e *Entry, at time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !e.removed && !m.closed {
		m.listLocked(e, at)
	}
}

func (m *Monitor) watched(e *Entry) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !e.removed && !m.closed
}

// period is the time to the next ping.
func (m *Monitor) period() time.Duration {
	return m.interval - rand.N(m.interval/10+1)
}
