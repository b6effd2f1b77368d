package heartbeat

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Peer is who is watched. Its methods must not wait for anything: the other peers wait for them.
type Peer interface {
	// Ping sends a ping.
	Ping(now time.Time)
	// Heard returns when the peer last gave a sign of life. While nobody listens to it, its silence means nothing: then
	// the answer is the present time.
	Heard() time.Time
	// Expire is called once, when the peer was silent for too long. It is not watched any more.
	Expire()
}

// Config says how peers are watched.
type Config struct {
	// Interval is the time between two pings, shortened by up to a tenth at random. 0: 30 s. Negative: nobody is
	// watched.
	Interval time.Duration
	// Timeout is how long after a ping a peer may stay silent. 0: 10 s. Negative: for ever.
	Timeout time.Duration
}

const (
	defaultInterval = 30 * time.Second
	defaultTimeout  = 10 * time.Second
	// A tick is a twentieth of the shorter time, in these bounds.
	shortestTick = time.Millisecond
	longestTick  = 250 * time.Millisecond
	mostSlots    = 4096
	// longest is what a time is cut to, so that times can be added up.
	longest = 50 * 365 * 24 * time.Hour
)

// Monitor is a wheel of slots, one a tick; a peer waits in the slot of the tick at which something is due for it. A
// timer runs only while somebody is watched.
type Monitor struct {
	interval, timeout time.Duration
	tick              time.Duration
	start             time.Time

	mu     sync.Mutex
	slots  []*Entry // heads of lists
	cursor int64    // the first tick that is not over
	count  int
	timer  *time.Timer
	armed  int64 // the tick that the timer waits for
	ticks  sync.WaitGroup
	closed bool
}

// Entry is a peer on the wheel. It takes 48 bytes.
type Entry struct {
	peer       Peer          // nil: not watched any more
	next, prev *Entry        // in its slot; next also among those that a turn visits
	pinged     time.Duration // when, after the monitor's start
	due        uint32        // the low bits of the tick; see tickLocked
	slot       uint16
	waiting    bool // for an answer to the ping
	listed     bool // in its slot
}

// New returns a monitor that watches nobody yet, and holds no goroutine and no timer until it does.
func New(cfg Config) *Monitor {
	if cfg.Interval == 0 {
		cfg.Interval = defaultInterval
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	m := &Monitor{
		interval: min(cfg.Interval, longest),
		timeout:  min(cfg.Timeout, longest),
		start:    time.Now(),
		armed:    -1,
	}
	if m.interval < 0 {
		return m
	}
	shorter, longer := m.interval, m.interval
	if m.timeout > 0 {
		shorter, longer = min(shorter, m.timeout), max(longer, m.timeout)
	}
	m.tick = min(max(shorter/20, shortestTick), longestTick)
	m.slots = make([]*Entry, min(int64(longer/m.tick)+2, mostSlots))
	return m
}

// Interval returns the time between two pings; 0: nobody is pinged.
func (m *Monitor) Interval() time.Duration { return max(0, m.interval) }

// Add watches p: the first ping comes within the interval, at random, so that many peers added at once do not stay in
// step. It costs one allocation.
func (m *Monitor) Add(p Peer) *Entry {
	e := &Entry{pinged: -m.interval}
	if m.interval < 0 {
		return e
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return e
	}
	e.peer = p
	m.count++
	m.listLocked(e, m.elapsed()+rand.N(m.interval))
	return e
}

// Remove stops watching. No call to the peer begins after it has returned, but one that has begun may still be under
// way. Removing again does nothing.
func (m *Monitor) Remove(e *Entry) { m.remove(e) }

// remove reports whether e was watched.
func (m *Monitor) remove(e *Entry) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.removeLocked(e)
}

func (m *Monitor) removeLocked(e *Entry) bool {
	if e.peer == nil {
		return false
	}
	e.peer = nil
	if e.listed {
		m.unlistLocked(e)
	}
	if m.count--; m.count == 0 && m.timer != nil {
		m.timer.Stop()
		m.armed = -1
	}
	return true
}

// Len returns how many peers are watched.
func (m *Monitor) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count
}

// Close stops watching everybody, and waits for the calls that are under way. It must not be called by a peer.
func (m *Monitor) Close() {
	m.mu.Lock()
	m.closed = true
	for _, head := range m.slots {
		for e := head; e != nil; e = head {
			head = e.next
			m.removeLocked(e)
		}
	}
	if m.timer != nil {
		m.timer.Stop()
	}
	m.mu.Unlock()
	m.ticks.Wait()
}

func (m *Monitor) elapsed() time.Duration { return time.Since(m.start) }
