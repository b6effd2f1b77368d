package hub_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// background is for Shutdown: a test's own context has ended in its cleanup.
var background = context.Background()

// shutdown starts one, and returns its result and how long it took.
func shutdown(ctx context.Context, h *hub.Hub) func() (time.Duration, error) {
	start := time.Now()
	type result struct {
		took time.Duration
		err  error
	}
	done := make(chan result, 1)
	go func() {
		err := h.Shutdown(ctx)
		done <- result{time.Since(start), err}
	}()
	return func() (time.Duration, error) {
		r := <-done
		return r.took, r.err
	}
}

// TestShutdownInOrder looks at a shutdown while its batch is being stored, which takes three seconds.
func TestShutdownInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		st := newStore(func(context.Context, *hub.Batch) error { time.Sleep(3 * time.Second); return nil })
		h := newHub(t, hub.Config{OnBatch: st.handle, Logger: book.logger(), Batch: batch.Config{MaxAge: time.Hour}})
		s := connectAs(t, h, "a")
		reserved, err := h.Reserve()
		must(t, err)
		s.SendText("0")
		s.SendText("1")
		s.sync()
		status := s.live()
		want(t, "draining before", h.Draining(), false)

		wait := shutdown(background, h)
		time.Sleep(time.Second)
		want(t, "draining", h.Draining(), true)
		if _, err := h.Reserve(); !errors.Is(err, hub.ErrDraining) {
			t.Errorf("Reserve: got %v, want ErrDraining", err)
		}
		want(t, "refused", h.Stats().RefusedDrain, 1)
		want(t, "state while the batch is stored", s.handle.State(), hub.StateOpen)
		must(t, h.All().SendText("still reaches them"))
		late := begin(t, h, hub.Request{Reservation: reserved}) // its handshake had begun before
		lateStatus := late.live()

		took, err := wait()
		must(t, err)
		if took < 3*time.Second || took > 4*time.Second {
			t.Errorf("it took %v", took)
		}
		want(t, "stored", st.String(), "3s a:0 a:1")
		want(t, "close frame", <-status, ws.StatusGoingAway)
		want(t, "close frame of the late one", <-lateStatus, ws.StatusGoingAway)
		want(t, "connections", h.Len(), 0)
		want(t, "send afterwards", h.All().SendText("x"), hub.ErrDraining)
		if line := book.String(); !strings.Contains(line, `level=INFO msg="websocket hub drained" took=3`) ||
			!strings.Contains(line, "report.accepted=2 report.committed=2 report.dead_lettered=0 report.nacked=0 report.dropped=0 report.abandoned=0") {
			t.Errorf("log: %s", line)
		}
	})
}

func TestShutdownOfAnIdleHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing})
		took, err := shutdown(background, h)()
		must(t, err)
		want(t, "took", took, 0)
		s := begin(t, h)
		s.gone()
		want(t, "Serve afterwards", s.err, hub.ErrDraining)
	})
}

// TestShutdownTwice gives the second caller the first one's result, or the end of its own patience.
func TestShutdownTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing})
		connect(t, h).swallow() // never answers
		block, err := h.Reserve()
		must(t, err)
		defer block.Release()
		first := shutdown(background, h)
		synctest.Wait()
		second := shutdown(background, h)
		impatient, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		took, err := shutdown(impatient, h)()
		want(t, "time of the impatient one", took, time.Second)
		want(t, "error of the impatient one", err, context.DeadlineExceeded)
		tookFirst, errFirst := first()
		tookSecond, errSecond := second()
		want(t, "time", tookSecond, tookFirst)
		want(t, "error", errSecond, errFirst)
		var stuck *hub.ShutdownError
		if !errors.As(errFirst, &stuck) || stuck.Stuck != 1 {
			t.Errorf("got %v, want one stuck", errFirst)
		}
		want(t, "error of a later one", h.Shutdown(background), errFirst)
	})
}

// TestShutdownForces cuts off clients that do not answer, after the close timeout or when there is no more time. That
// alone is no error: nothing of theirs is lost.
func TestShutdownForces(t *testing.T) {
	for name, behave := range map[string]func(s *session){
		"reads and never answers": func(s *session) { s.swallow() },
		"never reads":             func(*session) {},
		"does not read what waits": func(s *session) {
			for range 100 {
				_ = s.handle.SendText("unread")
			}
		},
	} {
		for _, row := range []struct {
			name   string
			drain  time.Duration
			ctx    time.Duration
			within [2]time.Duration
		}{
			{"close timeout", 0, time.Hour, [2]time.Duration{5 * time.Second, 5 * time.Second}},
			{"context", 0, time.Second, [2]time.Duration{time.Second, 2 * time.Second}},
			{"drain timeout", 2 * time.Second, time.Hour, [2]time.Duration{2 * time.Second, 3 * time.Second}},
		} {
			t.Run(name+"/"+row.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHub(t, hub.Config{OnMessage: nothing, DrainTimeout: row.drain})
					s := connect(t, h)
					behave(s)
					ctx, cancel := context.WithTimeout(background, row.ctx)
					defer cancel()
					took, err := shutdown(ctx, h)()
					must(t, err)
					if took < row.within[0] || took > row.within[1] {
						t.Errorf("it took %v, want %v", took, row.within)
					}
					want(t, "state", s.handle.State(), hub.StateClosed)
					<-s.over
				})
			})
		}
	}
}

// TestShutdownWithStuckCallbacks is bounded and says how many there were, whichever callback it is.
func TestShutdownWithStuckCallbacks(t *testing.T) {
	for callback, config := range crashes {
		if callback == "OnLeave" || callback == "OnJoin" {
			continue // called by OnMessage here
		}
		t.Run(callback, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				cfg := hub.Config{OnMessage: nothing}
				config(&cfg, func() { <-release })
				h := newHub(t, cfg)
				s := begin(t, h)
				s.swallow()
				go func() {
					_ = s.Frame(true, wirePing, nil)
					_ = s.Frame(true, wirePong, nil)
					_ = s.Frame(true, wireText, nil)
				}()
				synctest.Wait()
				took, err := shutdown(background, h)()
				if took > 22*time.Second {
					t.Errorf("it took %v", took)
				}
				var stuck *hub.ShutdownError
				if !errors.As(err, &stuck) || stuck.Stuck != 1 || stuck.Abandoned != 0 {
					t.Errorf("got %v, want one stuck", err)
				}
				close(release)
				<-s.over
			})
		})
	}
}

// TestShutdownDuringOnOpen tells a connection that is still opening, when it has opened.
func TestShutdownDuringOnOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing, OnOpen: func(c *hub.Conn) error {
			time.Sleep(3 * time.Second)
			return c.SendText("welcome")
		}})
		s := begin(t, h)
		synctest.Wait()
		wait := shutdown(background, h)
		want(t, "message", s.ReadText(), "welcome")
		s.wantClose(ws.StatusGoingAway)
		took, err := wait()
		must(t, err)
		want(t, "took", took.Round(100*time.Millisecond), 3*time.Second)
	})
}

// TestAdopt has a connection of somebody else's take part.
func TestAdopt(t *testing.T) {
	for name, row := range map[string]struct {
		obeys bool // releases when it is asked to, not only when it is forced to
		late  bool // adopts when the shutdown closes already
		ends  string
		took  time.Duration
	}{
		"obeys":  {obeys: true, ends: "ask", took: time.Second},
		"forced": {ends: "ask force", took: 20500 * time.Millisecond},
		"late":   {obeys: true, late: true, ends: "ask", took: 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t, hub.Config{OnMessage: nothing})
				r, err := h.Reserve()
				must(t, err)
				var ends list[string]
				end := func(force bool) {
					if force {
						ends.add("force")
						r.Release()
						return
					}
					ends.add("ask")
					if row.obeys {
						time.AfterFunc(time.Second, r.Release)
					}
				}
				if !row.late {
					want(t, "Adopt", r.Adopt(end), true)
				}
				wait := shutdown(background, h)
				if row.late {
					time.Sleep(time.Second)
					want(t, "Adopt", r.Adopt(end), false)
				}
				took, err := wait()
				must(t, err)
				want(t, "took", took, row.took)
				want(t, "calls of end", strings.Join(ends.all(), " "), row.ends)
			})
		})
	}
}
