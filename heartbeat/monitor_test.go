package heartbeat_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fiberwsx/wsx/heartbeat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer answers pings unless it is dead.
type peer struct {
	dead    atomic.Bool
	busy    atomic.Bool // nobody listens to it
	heard   atomic.Int64
	pings   atomic.Int64
	asked   atomic.Int64 // when it was heard
	expired atomic.Int64
	at      atomic.Int64 // of the expiry
	onPing  func()
}

func (p *peer) Ping(now time.Time) {
	p.pings.Add(1)
	if !p.dead.Load() {
		p.heard.Store(now.UnixNano())
	}
	if p.onPing != nil {
		p.onPing()
	}
}

func (p *peer) Heard() time.Time {
	p.asked.Add(1)
	if p.busy.Load() {
		return time.Now()
	}
	return time.Unix(0, p.heard.Load())
}

func (p *peer) Expire() {
	p.expired.Add(1)
	p.at.Store(time.Now().UnixNano())
}

func newPeer() *peer {
	p := &peer{}
	p.heard.Store(time.Now().UnixNano())
	return p
}

func ExampleMonitor() {
	m := heartbeat.New(heartbeat.Config{Interval: 20 * time.Millisecond, Timeout: 20 * time.Millisecond})
	defer m.Close()
	gone := make(chan struct{})
	m.Add(silent{gone})
	<-gone
	fmt.Println("expired")
	// Output: expired
}

type silent struct{ gone chan struct{} }

func (silent) Ping(time.Time)   {}
func (silent) Heard() time.Time { return time.Time{} }
func (s silent) Expire()        { close(s.gone) }

func TestCadence(t *testing.T) {
	for _, cfg := range []heartbeat.Config{
		{},
		{Interval: time.Second, Timeout: time.Second},
		{Interval: time.Minute, Timeout: time.Second},
		{Interval: 20 * time.Millisecond, Timeout: 5 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := heartbeat.New(cfg)
			defer m.Close()
			p := newPeer()
			m.Add(p)
			interval := cfg.Interval
			if interval == 0 {
				interval = 30 * time.Second
			}
			time.Sleep(100 * interval)
			synctest.Wait()
			if n := p.pings.Load(); n < 90 || n > 113 {
				t.Errorf("%+v: %d pings in 100 intervals", cfg, n)
			}
			if p.expired.Load() != 0 {
				t.Errorf("%+v: a live peer expired", cfg)
			}
		})
	}
}

func TestDeadPeerIsFoundInTime(t *testing.T) {
	for _, cfg := range []heartbeat.Config{
		{Interval: 30 * time.Second, Timeout: 10 * time.Second},
		{Interval: time.Second, Timeout: time.Second},
		{Interval: time.Second, Timeout: time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := heartbeat.New(cfg)
			defer m.Close()
			peers := make([]*peer, 200)
			for i := range peers {
				peers[i] = newPeer()
				m.Add(peers[i])
			}
			time.Sleep(3 * cfg.Interval / 2)
			died := time.Now()
			for _, p := range peers {
				p.dead.Store(true)
			}
			time.Sleep(cfg.Interval + 2*cfg.Timeout + 2*time.Second)
			synctest.Wait()
			for i, p := range peers {
				if p.expired.Load() != 1 {
					t.Fatalf("%+v: peer %d expired %d times", cfg, i, p.expired.Load())
				}
				if took := time.Unix(0, p.at.Load()).Sub(died); took > cfg.Interval+cfg.Timeout+time.Second {
					t.Errorf("%+v: found after %v", cfg, took)
				}
			}
			if m.Len() != 0 {
				t.Errorf("%d are still watched", m.Len())
			}
		})
	}
}

func TestBusyPeerIsNotCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := heartbeat.New(heartbeat.Config{})
		defer m.Close()
		p := newPeer()
		p.dead.Store(true)
		p.busy.Store(true)
		m.Add(p)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if p.expired.Load() != 0 || p.pings.Load() < 10 {
			t.Errorf("expired %d times after %d pings", p.expired.Load(), p.pings.Load())
		}
		p.heard.Store(time.Now().UnixNano())
		p.busy.Store(false)
		time.Sleep(41 * time.Second)
		synctest.Wait()
		if p.expired.Load() != 1 {
			t.Error("not found after it was listened to again")
		}
	})
}

func TestNothingComesAfterRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := heartbeat.New(heartbeat.Config{Interval: time.Second, Timeout: time.Second})
		defer m.Close()
		p, other := newPeer(), newPeer()
		e := m.Add(p)
		m.Add(other)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		m.Remove(e)
		m.Remove(e)
		before := p.pings.Load()
		time.Sleep(time.Minute)
		synctest.Wait()
		if p.pings.Load() != before || m.Len() != 1 {
			t.Errorf("%d more pings, %d watched", p.pings.Load()-before, m.Len())
		}
	})
}

// TestPeersMayCallTheMonitor removes peers, and adds others, from within a ping.
func TestPeersMayCallTheMonitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := heartbeat.New(heartbeat.Config{Interval: time.Second, Timeout: time.Second})
		defer m.Close()
		entries := make(chan *heartbeat.Entry, 100)
		for range 50 {
			p := newPeer()
			p.onPing = func() {
				m.Remove(<-entries)
				entries <- m.Add(newPeer())
			}
			entries <- m.Add(p)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if m.Len() != 50 {
			t.Errorf("%d watched", m.Len())
		}
	})
}

func TestOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := heartbeat.New(heartbeat.Config{Interval: -1})
		p := newPeer()
		e := m.Add(p)
		time.Sleep(time.Hour)
		m.Remove(e)
		m.Close()
		if p.pings.Load() != 0 {
			t.Error("pinged although it is off")
		}
	})
}

func TestNothingAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := heartbeat.New(heartbeat.Config{Interval: time.Second})
		p := newPeer()
		m.Add(p)
		time.Sleep(3 * time.Second)
		m.Close()
		m.Close()
		before := p.pings.Load()
		m.Add(newPeer())
		time.Sleep(time.Minute)
		if p.pings.Load() != before {
			t.Error("pinged after Close")
		}
	})
}

// TestNobodyWatchedAfterClose closes while peers are on the wheel, and while one is being visited.
func TestNobodyWatchedAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := heartbeat.New(heartbeat.Config{Interval: time.Second})
		visited, entries := newPeer(), []*heartbeat.Entry{}
		visited.onPing = func() { time.Sleep(time.Second) }
		for _, p := range []*peer{visited, newPeer(), newPeer()} {
			entries = append(entries, m.Add(p))
		}
		for visited.pings.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		m.Close()
		for _, e := range entries {
			m.Remove(e)
		}
		if m.Len() != 0 {
			t.Errorf("%d are watched", m.Len())
		}
	})
}

// leaver stops being watched when it is asked whether it is alive.
type leaver struct {
	silent
	m *heartbeat.Monitor
	e atomic.Pointer[heartbeat.Entry]
}

func (l *leaver) Heard() time.Time {
	l.m.Remove(l.e.Load())
	return time.Time{}
}
