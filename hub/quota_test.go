package hub_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ratelimit"
	"github.com/fiberwsx/wsx/ws"
)

// TestQuotas sends four messages of 100 bytes at once, then one after a pause, and one more over a new connection.
func TestQuotas(t *testing.T) {
	ann := hub.Request{Identity: auth.Identity{Subject: "ann"}, IP: "2001:db8::1"}
	for name, row := range map[string]struct {
		cfg              hub.Config
		again            hub.Request
		at, later, anew  int // messages that are handled
		pause, beforeNew time.Duration
	}{
		"bytes":                  {hub.Config{RateBytes: 100, BurstBytes: 250}, ann, 2, 1, 2, time.Second, 0},
		"a long message":         {hub.Config{RateBytes: 20, BurstBytes: 40}, ann, 1, 1, 1, 2 * time.Second, 0},
		"a rule":                 {hub.Config{RateRule: ratelimit.Rule{Max: 3, Period: time.Minute}}, ann, 3, 0, 3, time.Second, 0},
		"a rule, later":          {hub.Config{RateRule: ratelimit.Rule{Max: 3, Period: time.Minute}}, ann, 3, 1, 3, 2 * time.Minute, 0},
		"a subject":              {hub.Config{RatePerSubject: 1}, ann, 2, 1, 0, time.Second, 0},
		"a subject, later":       {hub.Config{RatePerSubject: 1}, ann, 2, 1, 1, time.Second, time.Second},
		"another subject":        {hub.Config{RatePerSubject: 1}, asSubject("bob"), 2, 1, 2, time.Second, 0},
		"nobody":                 {hub.Config{RatePerSubject: 1}, hub.Request{}, 2, 1, 4, time.Second, 0},
		"an address":             {hub.Config{RatePerIP: 1}, hub.Request{IP: "2001:db8::2"}, 2, 1, 0, time.Second, 0},
		"another address":        {hub.Config{RatePerIP: 1}, hub.Request{IP: "2001:db8:0:1::2"}, 2, 1, 2, time.Second, 0},
		"no address that counts": {hub.Config{RatePerIP: 1}, hub.Request{IP: "?"}, 2, 1, 4, time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handled := 0
				row.cfg.OnMessage = func(*hub.Conn, hub.Message) error { handled++; return nil }
				h := newHub(t, row.cfg)
				burst := func(s *session, n, expect int, when string) {
					before, dropped := handled, h.Stats().RateLimited
					for range n {
						s.SendText(strings.Repeat("x", 100))
					}
					s.sync()
					synctest.Wait()
					want(t, when, handled-before, expect)
					want(t, when+": counted", h.Stats().RateLimited-dropped, uint64(n-expect))
				}
				s := connect(t, h, ann)
				s.swallow()
				burst(s, 4, row.at, "at once")
				time.Sleep(row.pause)
				burst(s, 1, row.later, "later")
				must(t, s.Conn().Close())
				s.gone()
				time.Sleep(row.beforeNew)
				s = connect(t, h, row.again)
				s.swallow()
				burst(s, 4, row.anew, "anew")
			})
		})
	}
}

// TestQuotaPauses reads no more until the quota allows it, and loses nothing.
func TestQuotaPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at list[time.Duration]
		begun := time.Now()
		h := newHub(t, hub.Config{
			RateBytes: 100, BurstBytes: 100, OverRate: hub.Pause,
			OnMessage: func(*hub.Conn, hub.Message) error { at.add(time.Since(begun)); return nil },
		})
		s := connect(t, h)
		for range 3 {
			s.SendText(strings.Repeat("x", 100))
		}
		s.sync()
		for i, d := range at.all() {
			want(t, "handled", d.Round(10*time.Millisecond), time.Duration(i)*time.Second)
		}
		want(t, "messages", len(at.all()), 3)
	})
}

// TestIdle: messages count, pings do not, and a handler that runs is not idle.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{
			IdleTimeout: time.Minute,
			OnMessage:   func(*hub.Conn, hub.Message) error { time.Sleep(5 * time.Minute); return nil },
		})
		s := connect(t, h)
		status := s.live()
		time.Sleep(50 * time.Second)
		s.SendText("x")
		time.Sleep(5*time.Minute + 50*time.Second)
		want(t, "state after a long handler and 50 s", s.handle.State(), hub.StateOpen)
		must(t, s.Frame(true, wire.OpPing, nil))
		begun := time.Now()
		want(t, "status", <-status, ws.StatusNormalClosure)
		if took := time.Since(begun); took < 9*time.Second || took > 14*time.Second {
			t.Errorf("closed %v after 50 s without a message, want 10 s", took)
		}
	})
}

// TestLifetime ends connections that came together one after the other.
func TestLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{MaxLifetime: time.Hour, OnMessage: nothing})
		var ends []<-chan ws.Status
		for range 50 {
			ends = append(ends, connect(t, h).live())
		}
		time.Sleep(54*time.Minute - time.Second)
		want(t, "after 54 minutes", h.Len(), 50)
		time.Sleep(3 * time.Minute)
		if n := h.Len(); n == 0 || n == 50 {
			t.Errorf("%d of 50 are left in the middle", n)
		}
		time.Sleep(3*time.Minute + 11*time.Second)
		want(t, "after an hour", h.Len(), 0)
		for _, end := range ends {
			want(t, "status", <-end, ws.StatusServiceRestart)
		}
	})
}
