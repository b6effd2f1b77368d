package heartbeat_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/heartbeat"
)

// TestLongestTimes takes the longest duration for "never": the peer is not asked again and again.
func TestLongestTimes(t *testing.T) {
	for _, cfg := range []heartbeat.Config{
		{Interval: math.MaxInt64},
		{Interval: math.MaxInt64, Timeout: math.MaxInt64},
		{Interval: time.Second, Timeout: math.MaxInt64},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := heartbeat.New(cfg)
			defer m.Close()
			p := newPeer()
			p.dead.Store(true)
			m.Add(p)
			time.Sleep(time.Hour)
			synctest.Wait()
			if p.pings.Load() > 1 || p.asked.Load() > 2 || p.expired.Load() != 0 {
				t.Errorf("%+v: %d pings, asked %d times, expired %d times", cfg, p.pings.Load(), p.asked.Load(), p.expired.Load())
			}
		})
	}
}

// TestTicksWithoutEnd lets more ticks pass than an entry counts.
func TestTicksWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := heartbeat.New(heartbeat.Config{Interval: 20 * time.Millisecond, Timeout: -1}) // ticks of a millisecond
		defer m.Close()
		p, late := newPeer(), newPeer()
		m.Add(p)
		for turns := int64(1); turns <= 10; turns++ {
			m.Skip(30 * 24 * time.Hour)
			if p.pings.Load() != turns {
				t.Fatalf("%d pings after %d months", p.pings.Load(), turns)
			}
		}
		m.Add(late)
		m.Skip(time.Second)
		if late.pings.Load() != 1 || p.pings.Load() != 11 {
			t.Errorf("%d and %d pings at last", late.pings.Load(), p.pings.Load())
		}
	})
}
