package hub

import (
	"math/rand/v2"
	"time"

	"github.com/fiberwsx/wsx/heartbeat"
	"github.com/fiberwsx/wsx/ws"
)

const (
	// A connection's age is looked at every twentieth of the shorter limit, in these bounds.
	shortestLook = 10 * time.Millisecond
	longestLook  = 10 * time.Second
)

// newAges returns the wheel that looks at the connections' ages, or nil where there is no limit.
func newAges(c Config) *heartbeat.Monitor {
	shorter := c.IdleTimeout
	if shorter == 0 || c.MaxLifetime > 0 && c.MaxLifetime < shorter {
		shorter = c.MaxLifetime
	}
	if shorter == 0 {
		return nil
	}
	return heartbeat.New(heartbeat.Config{Interval: min(max(shorter/20, shortestLook), longestLook), Timeout: -1})
}

// age is what a connection needs for its limits of time.
type age struct {
	conn  *Conn
	ends  time.Time // zero: never
	entry *heartbeat.Entry
}

func (c *Conn) startAge() {
	if c.hub.ages == nil {
		return
	}
	a := &age{conn: c}
	if d := c.hub.cfg.MaxLifetime; d > 0 {
		a.ends = time.Now().Add(d - rand.N(d/10+1)) // so that those who came together do not leave together
	}
	c.stirred.Store(time.Now().UnixNano())
	a.entry = c.hub.ages.Add(a)
	c.mu.Lock()
	c.age = a
	c.mu.Unlock()
	if c.closing() {
		c.endAge()
	}
}

func (c *Conn) endAge() {
	c.mu.Lock()
	a := c.age
	c.age = nil
	c.mu.Unlock()
	if a != nil {
		c.hub.ages.Remove(a.entry)
	}
}

// Ping looks at the limits; the wheel's turn is all that is wanted of it.
func (a *age) Ping(now time.Time) {
	c := a.conn
	if !a.ends.IsZero() && !now.Before(a.ends) {
		_ = c.Close(ws.StatusServiceRestart, "lifetime over")
		return
	}
	if d := c.hub.cfg.IdleTimeout; d > 0 && now.Sub(time.Unix(0, c.stirred.Load())) >= d {
		if _, listening := c.wire.Listening(); listening {
			_ = c.Close(ws.StatusNormalClosure, "idle")
		}
	}
}

// Heard and Expire are never called: the wheel waits for no answer.
func (a *age) Heard() time.Time { return time.Now() }

// Expire does nothing.
func (a *age) Expire() {}
