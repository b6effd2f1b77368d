package hub_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// TestReport sends five messages, lets a minute pass, ends the hub, and looks at what has become of them.
func TestReport(t *testing.T) {
	rejectSecond := func(_ context.Context, b *hub.Batch) error { b.Reject(1, errStore); return nil }
	failThird := func(_ context.Context, b *hub.Batch) error {
		for _, it := range b.All() {
			if it.Message.Text() == "3" {
				return errStore
			}
		}
		return nil
	}
	hang := func(ctx context.Context, _ *hub.Batch) error { <-ctx.Done(); return ctx.Err() }
	once := func(crash func()) func(context.Context, *hub.Batch) error {
		return func(_ context.Context, b *hub.Batch) error {
			if b.Attempt() == 1 {
				crash()
			}
			return nil
		}
	}
	takes := func(context.Context, []hub.Rejected) error { return nil }
	fails := func(context.Context, []hub.Rejected) error { return errStore }
	exits := func(context.Context, []hub.Rejected) error { runtime.Goexit(); return nil }
	for name, row := range map[string]struct {
		cfg   hub.Config
		plain bool // the client has not asked for acks
		cut   bool // the connection ends right behind the messages
		want  hub.Report
		nacks uint64
	}{
		"stored":               {want: hub.Report{Committed: 5}},
		"stored, plain":        {plain: true, want: hub.Report{Committed: 5}},
		"cut":                  {cut: true, want: hub.Report{Committed: 5}},
		"rejected":             {cfg: hub.Config{OnBatch: rejectSecond}, want: hub.Report{Committed: 4, Nacked: 1}, nacks: 1},
		"rejected, plain":      {cfg: hub.Config{OnBatch: rejectSecond}, plain: true, want: hub.Report{Committed: 4, Nacked: 1}},
		"rejected, cut":        {cfg: hub.Config{OnBatch: rejectSecond}, cut: true, want: hub.Report{Committed: 4, Nacked: 1}, nacks: 1},
		"dead letter":          {cfg: hub.Config{OnBatch: rejectSecond, DeadLetter: takes}, want: hub.Report{Committed: 4, DeadLettered: 1}},
		"dead letter fails":    {cfg: hub.Config{OnBatch: rejectSecond, DeadLetter: fails}, want: hub.Report{Committed: 4, Nacked: 1}, nacks: 1},
		"dead letter exits":    {cfg: hub.Config{OnBatch: failThird, DeadLetter: exits}, want: hub.Report{Committed: 4, Nacked: 1}, nacks: 1},
		"poison":               {cfg: hub.Config{OnBatch: failThird}, want: hub.Report{Committed: 4, Nacked: 1}, nacks: 1},
		"poison, dead letter":  {cfg: hub.Config{OnBatch: failThird, DeadLetter: takes}, want: hub.Report{Committed: 4, DeadLettered: 1}},
		"poison, held":         {cfg: hub.Config{OnBatch: failThird, Ack: hub.AckResume}, want: hub.Report{Committed: 2, Abandoned: 3}},
		"held for dead letter": {cfg: hub.Config{OnBatch: failThird, Ack: hub.AckResume, DeadLetter: fails}, want: hub.Report{Committed: 2, Abandoned: 3}},
		"panic":                {cfg: hub.Config{OnBatch: once(func() { panic(marker) })}, want: hub.Report{Committed: 5}},
		"Goexit":               {cfg: hub.Config{OnBatch: once(runtime.Goexit)}, want: hub.Report{Committed: 5}},
		"hangs":                {cfg: hub.Config{OnBatch: hang}, want: hub.Report{Nacked: 5}, nacks: 5},
		"hangs, plain":         {cfg: hub.Config{OnBatch: hang}, plain: true, want: hub.Report{Abandoned: 5}},
		"hangs to the end":     {cfg: hub.Config{OnBatch: hang, Ack: hub.AckResume}, want: hub.Report{Abandoned: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := row.cfg
				cfg.Ack = max(cfg.Ack, hub.AckBatch)
				cfg.Batch = batch.Config{Attempts: 2, Timeout: time.Second, Lanes: 1}
				if cfg.Ack == hub.AckResume {
					cfg.Position = func(context.Context, string) (uint64, bool, error) { return 0, false, nil }
				}
				if cfg.OnBatch == nil {
					cfg.OnBatch = func(context.Context, *hub.Batch) error { return nil }
				}
				h := newHub(t, cfg)
				var s *session
				if row.plain {
					s = connectAs(t, h, "dev1")
				} else {
					s = connectDevice(t, h, "dev1").session
				}
				for i := range 5 {
					s.SendText(fmt.Sprint(i + 1))
				}
				s.sync()
				if row.cut {
					_ = s.Conn().Close()
				} else {
					s.live()
				}
				time.Sleep(time.Minute)
				err := h.Shutdown(background)
				row.want.Accepted = 5
				want(t, "report", h.Report(), row.want)
				want(t, "nacks", h.Stats().Nacks, row.nacks)
				if lost := new(hub.ShutdownError); errors.As(err, &lost) != (row.want.Abandoned > 0) || lost.Abandoned != row.want.Abandoned {
					t.Errorf("Shutdown: got %v", err)
				}
			})
		})
	}
}

// TestReportOfAStuckHandler counts what it has as abandoned, for good, and as pending before the shutdown is over.
func TestReportOfAStuckHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := newHub(t, hub.Config{OnBatch: func(context.Context, *hub.Batch) error { <-release; return nil }})
		s := connect(t, h)
		s.SendText("x")
		s.sync()
		s.live()
		time.Sleep(time.Second)
		want(t, "before", h.Report(), hub.Report{Accepted: 1, Pending: 1})
		wait := shutdown(background, h)
		time.Sleep(time.Second)
		want(t, "meanwhile", h.Report(), hub.Report{Accepted: 1, Pending: 1})
		_, _ = wait()
		want(t, "in the end", h.Report(), hub.Report{Accepted: 1, Abandoned: 1})
		close(release)
		time.Sleep(time.Second)
		want(t, "for good", h.Report(), hub.Report{Accepted: 1, Abandoned: 1})
		want(t, "handled after all", h.Stats().BatchHandled, 1)
	})
}

// TestDropOldest: without acks a hub may prefer new messages to old ones, in a lane that is full and with a budget that
// is used up: no socket waits, and every message that is dropped is counted.
func TestDropOldest(t *testing.T) {
	for name, row := range map[string]struct {
		cfg  hub.Config
		held int // the most
	}{
		"lane":   {hub.Config{Batch: batch.Config{MaxItems: 10}}, 10 + 10},
		"budget": {hub.Config{IngestBudget: 20 * (4 + 64), Batch: batch.Config{MaxAge: time.Hour}}, 20 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				st := newStore(func(context.Context, *hub.Batch) error { <-release; return nil })
				row.cfg.Batch.DropOldest, row.cfg.Batch.Lanes, row.cfg.OnBatch = true, 1, st.handle
				h := newHub(t, row.cfg)
				s := connectAs(t, h, "dev1")
				for i := range 1000 {
					s.SendText(fmt.Sprintf("%04d", i))
					synctest.Wait()
					if held := h.Stats().BatchPending; held > uint64(row.held) {
						t.Errorf("%d messages are held, want %d at most", held, row.held)
						break
					}
				}
				s.sync()
				stats := h.Stats()
				want(t, "pauses", stats.Pauses, 0)
				want(t, "accepted", stats.BatchAccepted, 1000)
				want(t, "dropped", stats.Dropped, 1000-stats.BatchPending)
				want(t, "bytes", stats.BatchBytes, 4*stats.BatchPending)
				s.live()
				close(release)
				must(t, h.Shutdown(background))
				want(t, "report", h.Report(), hub.Report{Accepted: 1000, Dropped: stats.Dropped, Committed: stats.BatchPending})
				if got := st.of("dev1"); strings.Join(got[len(got)-3:], " ") != "0997 0998 0999" {
					t.Errorf("stored %v, want the newest", got)
				}
			})
		})
	}
}

// TestDropOldestKeepsTheBudget: what is dropped is given back.
func TestDropOldestKeepsTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{
			IngestBudget: 10_000, BatchPer: hub.PerConn, Batch: batch.Config{DropOldest: true, MaxAge: -1, MaxItems: 1000},
			OnBatch: func(context.Context, *hub.Batch) error { return nil },
		})
		s := connect(t, h)
		for range 5000 {
			s.SendText("1234")
		}
		s.sync()
		if _, err := h.Reserve(); !errors.Is(err, hub.ErrOverloaded) {
			t.Errorf("Reserve: got %v, want %v", err, hub.ErrOverloaded)
		}
		s.live()
		_ = s.handle.Close(1000, "")
		s.gone()
		synctest.Wait()
		r, err := h.Reserve()
		must(t, err)
		r.Release()
		want(t, "pending", h.Stats().BatchPending, 0)
	})
}

// TestPaused: whatever has no room, the connections that wait for it are counted, and how long they do.
func TestPaused(t *testing.T) {
	for name, cfg := range map[string]hub.Config{
		"window": {MaxUnsettled: 20},
		"lane":   {Batch: batch.Config{MaxItems: 10, Lanes: 1}},
		"budget": {IngestBudget: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				h, _ := ackHub(t, cfg, func(context.Context, *hub.Batch) error { <-release; return nil })
				d := connectDevice(t, h, "dev1")
				d.live()
				want(t, "paused at first", h.Stats().Paused, 0)
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					d.send(1, 100)
				}()
				time.Sleep(time.Minute)
				s := h.Stats()
				want(t, "paused", s.Paused, 1)
				want(t, "pauses", s.Pauses, 1)
				want(t, "time of those that are over", s.PausedTime, 0)
				close(release)
				<-sent
				d.sync()
				s = h.Stats()
				want(t, "paused in the end", s.Paused, 0)
				if s.PausedTime < time.Minute || s.PausedTime > 2*time.Minute {
					t.Errorf("paused for %s, want a minute", s.PausedTime)
				}
			})
		})
	}
}

// TestUnnumbered: what waits for room when the hub ends has no number; it is counted, and its client has no ack for it.
func TestUnnumbered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h, _ := ackHub(t, hub.Config{MaxUnsettled: 5}, func(context.Context, *hub.Batch) error { <-release; return nil })
		d := connectDevice(t, h, "dev1")
		go func() {
			for n := 1; d.Frame(true, wireText, fmt.Append(nil, n)) == nil; n++ {
			}
		}()
		time.Sleep(time.Second)
		wait := shutdown(background, h)
		time.Sleep(time.Second)
		close(release)
		d.wantAck(5)
		d.wantClose(ws.StatusGoingAway)
		_, err := wait()
		must(t, err)
		want(t, "report", h.Report(), hub.Report{Accepted: 5, Committed: 5})
		if s := h.Stats(); s.Unnumbered == 0 || s.Unnumbered != s.MessagesIn-5 {
			t.Errorf("%d of %d messages have no number, want all but 5", s.Unnumbered, s.MessagesIn)
		}
	})
}
