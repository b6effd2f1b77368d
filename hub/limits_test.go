package hub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestRateNotify drops what is over the rate, counts it, and tells the client at most once a second.
func TestRateNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handled := 0
		h := newHub(t, hub.Config{
			Rate: 8, Burst: 2,
			OnMessage: func(*hub.Conn, hub.Message) error { handled++; return nil },
		})
		s := connect(t, h)
		notices := make(chan string, 10)
		go func() {
			for {
				m, err := s.Read()
				if err != nil {
					return
				}
				notices <- m.Text()
			}
		}()
		flood := func() {
			for range 12 {
				s.SendText("x")
			}
			s.sync()
			synctest.Wait()
		}
		flood()
		want(t, "handled", handled, 2)
		want(t, "dropped", h.Stats().RateLimited, 10)
		want(t, "received", h.Stats().MessagesIn, 12)
		want(t, "notices", len(notices), 1)
		want(t, "notice", <-notices, `{"type":"error","code":"rate_limited","retry_after_ms":125}`)

		time.Sleep(999 * time.Millisecond)
		flood()
		want(t, "handled after a second less a bit", handled, 4)
		want(t, "notices within a second", len(notices), 0)
		time.Sleep(time.Millisecond)
		flood()
		want(t, "notices after a second", len(notices), 1)
		want(t, "notice", <-notices, `{"type":"error","code":"rate_limited","retry_after_ms":124}`)
		want(t, "state", s.handle.State(), hub.StateOpen)
	})
}

// TestRatePause slows the client down, and loses nothing.
func TestRatePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var got []string
		h := newHub(t, hub.Config{
			Rate: 10, Burst: 2, OverRate: hub.Pause,
			OnMessage: func(_ *hub.Conn, m hub.Message) error {
				got = append(got, fmt.Sprint(m.Text(), " after ", time.Since(start)))
				return nil
			},
		})
		s := connect(t, h)
		for i := range 5 {
			s.SendText(fmt.Sprint(i))
		}
		s.sync()
		want(t, "handled", strings.Join(got, ", "), "0 after 0s, 1 after 0s, 2 after 100ms, 3 after 200ms, 4 after 300ms")
		want(t, "dropped", h.Stats().RateLimited, 0)
	})
}

// TestRatePauseEnds checks that neither a shutdown nor a close waits for the rate.
func TestRatePauseEnds(t *testing.T) {
	for name, row := range map[string]struct {
		end     func(h *hub.Hub, s *session)
		handled int
	}{
		"shutdown": {func(h *hub.Hub, _ *session) { _ = h.Shutdown(context.Background()) }, 2},
		"close":    {func(_ *hub.Hub, s *session) { _ = s.handle.Close(ws.StatusNormalClosure, "") }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handled := 0
				h := newHub(t, hub.Config{
					Rate: 0.001, Burst: 1, OverRate: hub.Pause,
					OnMessage: func(*hub.Conn, hub.Message) error { handled++; return nil },
				})
				s := connect(t, h)
				s.SendText("x")
				s.SendText("x")
				s.live()
				synctest.Wait()
				start := time.Now()
				row.end(h, s)
				<-s.over
				if took := time.Since(start); took > time.Second {
					t.Errorf("it took %v", took)
				}
				want(t, "handled", handled, row.handled)
			})
		})
	}
}

func TestRateClose(t *testing.T) {
	h := newHub(t, hub.Config{Rate: 1, Burst: 3, OverRate: hub.CloseOver, OnMessage: nothing})
	s := connect(t, h)
	for range 4 {
		s.SendText("x")
	}
	s.wantClose(ws.StatusRateLimited)
	s.gone()
	want(t, "counted", h.Stats().RateLimited, 1)
}

// TestRateDefaults checks the default of each mode, and that a rate can be set in batch mode and be off in the others.
func TestRateDefaults(t *testing.T) {
	store := func(context.Context, *hub.Batch) error { return nil }
	for name, row := range map[string]struct {
		cfg     hub.Config
		dropped uint64 // of 1,000 messages at once
	}{
		"message mode":         {hub.Config{OnMessage: nothing}, 800},
		"message mode, off":    {hub.Config{OnMessage: nothing, Rate: -1}, 0},
		"burst from the rate":  {hub.Config{OnMessage: nothing, Rate: 50}, 900},
		"batch mode":           {hub.Config{OnBatch: store}, 0},
		"batch mode, limited":  {hub.Config{OnBatch: store, Rate: 10, Burst: 30}, 970},
		"less than one burst":  {hub.Config{OnMessage: nothing, Rate: 0.1}, 999},
		"connection mode":      {hub.Config{OnConn: receiveAll}, 800},
		"connection mode, off": {hub.Config{OnConn: receiveAll, Rate: -1}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t, row.cfg)
				s := connect(t, h)
				s.live()
				for range 1000 {
					must(t, s.Frame(true, wireText, nil))
				}
				s.sync()
				want(t, "dropped", h.Stats().RateLimited, row.dropped)
			})
		})
	}
}

func receiveAll(c *hub.Conn) error {
	for range c.Messages() {
	}
	return nil
}

func TestSizeLimits(t *testing.T) {
	fragments := func(n int) (b []byte) {
		b = wsxtest.AppendFrame(nil, false, wireText, nil)
		for range n - 2 {
			b = wsxtest.AppendFrame(b, false, 0, nil)
		}
		return wsxtest.AppendFrame(b, true, 0, nil)
	}
	message := func(n int) []byte { return wsxtest.AppendFrame(nil, true, wireBinary, make([]byte, n)) }
	for name, row := range map[string]struct {
		cfg   hub.Config
		bytes []byte
		told  ws.Status // 0: it is handled
	}{
		"default, just fits":    {hub.Config{}, message(64 << 10), 0},
		"default, one too many": {hub.Config{}, message(64<<10 + 1), ws.StatusMessageTooBig},
		"own, just fits":        {hub.Config{MaxMessage: 10}, message(10), 0},
		"own, one too many":     {hub.Config{MaxMessage: 10}, message(11), ws.StatusMessageTooBig},
		"off":                   {hub.Config{MaxMessage: -1}, message(1 << 20), 0},
		"fragments just fit":    {hub.Config{}, fragments(1024), 0},
		"too many fragments":    {hub.Config{}, fragments(1025), ws.StatusPolicyViolation},
		"own fragments":         {hub.Config{MaxFragments: 2}, fragments(3), ws.StatusPolicyViolation},
		"fragments, off":        {hub.Config{MaxFragments: -1}, fragments(3000), 0},
	} {
		t.Run(name, func(t *testing.T) {
			handled := 0
			row.cfg.OnMessage = func(*hub.Conn, hub.Message) error { handled++; return nil }
			h := newHub(t, row.cfg)
			s := connect(t, h)
			if row.told == 0 {
				must(t, s.Raw(row.bytes))
				s.sync()
				want(t, "handled", handled, 1)
				return
			}
			go func() { _ = s.Raw(row.bytes) }()
			s.wantClose(row.told)
			s.gone()
			want(t, "handled", handled, 0)
		})
	}
}

func TestControlRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing})
		s := connect(t, h)
		for range 3 {
			for range 50 {
				must(t, s.Frame(true, wirePong, nil))
			}
			s.sync()
			want(t, "state", s.handle.State(), hub.StateOpen)
			time.Sleep(time.Second)
		}
		for range 51 {
			must(t, s.Frame(true, wirePong, nil))
		}
		s.wantClose(ws.StatusPolicyViolation)
	})
}

func TestMaxConns(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing, MaxConns: 2})
	a := connect(t, h)
	r, err := h.Reserve()
	must(t, err)
	if _, err := h.Reserve(); !errors.Is(err, hub.ErrFull) {
		t.Errorf("third place: got %v, want ErrFull", err)
	}
	refused := begin(t, h)
	refused.gone()
	if !errors.Is(refused.err, hub.ErrFull) {
		t.Errorf("Serve: got %v, want ErrFull", refused.err)
	}
	if _, err := refused.ReadFrame(); err == nil {
		t.Error("the refused socket is not closed")
	}
	want(t, "refused", h.Stats().RefusedFull, 2)
	r.Release()
	r.Release()
	b := connect(t, h)
	a.Client.Close()
	a.gone()
	c := connect(t, h)
	want(t, "connections", h.Len(), 2)
	for _, s := range []*session{b, c} {
		want(t, "state", s.handle.State(), hub.StateOpen)
	}
}

// TestABurstWithoutALimit: a negative Burst is no limit of what comes at once, and not one of nothing.
func TestABurstWithoutALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{Rate: 1, Burst: -1, OnMessage: nothing})
		s := connect(t, h)
		for range 300 {
			s.SendText("m")
		}
		s.sync()
		want(t, "refused", h.Stats().RateLimited, 0)
	})
}
