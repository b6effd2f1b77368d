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

// Entry is a peer on the wheel.
type Entry struct {
	peer       Peer
	next, prev *Entry
	due        int64         // tick
	pinged     time.Duration // when, after the monitor's start
	waiting    bool          // for an answer to that
	listed     bool          // on the wheel
	removed    bool
}

// New returns a monitor that watches nobody yet, and holds no goroutine and no timer until it does.
func New(cfg Config) *Monitor {
	if cfg.Interval == 0 {
		cfg.Interval = defaultInterval
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	m := &Monitor{interval: cfg.Interval, timeout: cfg.Timeout, start: time.Now(), armed: -1}
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

// Add watches p: the first ping comes within the interval, at random, so that many peers added at once do not stay in
// step. It costs one allocation.
func (m *Monitor) Add(p Peer) *Entry {
	e := &Entry{peer: p, pinged: -m.interval}
	if m.interval < 0 {
		return e
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return e
	}
	m.count++
	m.listLocked(e, m.elapsed()+rand.N(m.interval))
	return e
}

// Remove stops watching. No call to the peer begins after it has returned, but one that has begun may still be under
// way. Removing again does nothing.
func (m *Monitor) Remove(e *Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.removeLocked(e)
}

func (m *Monitor) removeLocked(e *Entry) {
	if e.removed || m.interval < 0 {
		return
	}
	e.removed = true
	if e.listed {
		m.unlistLocked(e)
	}
	if m.count--; m.count == 0 && m.timer != nil {
		m.timer.Stop()
		m.armed = -1
	}
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

// listLocked puts e into the slot of the tick after the given time, never before the present one.
func (m *Monitor) listLocked(e *Entry, at time.Duration) {
	e.due = max(int64((at+m.tick-1)/m.tick), m.cursor)
	slot := &m.slots[e.due%int64(len(m.slots))]
	e.prev, e.next, e.listed = nil, *slot, true
	if *slot != nil {
		(*slot).prev = e
	}
	*slot = e
	m.armLocked(e.due)
}

func (m *Monitor) unlistLocked(e *Entry) {
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		m.slots[e.due%int64(len(m.slots))] = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	}
	e.next, e.prev, e.listed = nil, nil, false
}

// armLocked makes sure that the timer fires at that tick or before.
func (m *Monitor) armLocked(due int64) {
	if m.armed >= 0 && m.armed <= due {
		return
	}
	m.armed = due
	wait := max(0, time.Duration(due)*m.tick-m.elapsed())
	if m.timer == nil {
		m.timer = time.AfterFunc(wait, m.turn)
		return
	}
	m.timer.Reset(wait)
}
