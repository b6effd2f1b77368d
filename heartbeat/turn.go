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
	for due != nil {
		e := due
		due, e.next = e.next, nil
		m.visit(e)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.count > 0 && !m.closed {
		m.armLocked(m.nextLocked())
	}
}

// visit pings a peer, or draws the conclusion from its silence.
func (m *Monitor) visit(e *Entry) {
	peer := m.peer(e)
	if peer == nil {
		return
	}
	now := m.elapsed()
	if e.waiting {
		e.waiting = peer.Heard().Before(m.start.Add(e.pinged))
	}
	next := e.pinged + m.period()
	switch {
	case e.waiting && now-e.pinged >= m.timeout:
		if m.remove(e) {
			peer.Expire()
		}
		return
	case e.waiting:
		next = e.pinged + m.timeout
	case next <= now:
		peer.Ping(m.start.Add(now))
		e.pinged, e.waiting = now, m.timeout > 0
		next = now + m.period()
		if e.waiting {
			next = min(next, now+m.timeout)
		}
	}
	m.list(e, next)
}

// list puts e back on the wheel, unless it is not watched any more.
func (m *Monitor) list(e *Entry, at time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		m.removeLocked(e)
	case e.peer != nil:
		m.listLocked(e, at)
	}
}

// peer returns the peer of e; nil when it is not watched any more.
func (m *Monitor) peer(e *Entry) Peer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		m.removeLocked(e)
	}
	return e.peer
}

// period is the time to the next ping.
func (m *Monitor) period() time.Duration {
	return m.interval - rand.N(m.interval/10+1)
}
