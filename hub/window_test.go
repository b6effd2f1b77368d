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
)

// TestWindow: while a device has a window of messages that are not settled, its socket is not read.
func TestWindow(t *testing.T) {
	for name, cfg := range map[string]hub.Config{
		"messages": {MaxUnsettled: 20}, "bytes": {MaxUnsettledBytes: 20 * 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				h, st := ackHub(t, cfg, func(context.Context, *hub.Batch) error { <-release; return nil })
				d := connectDevice(t, h, "dev1")
				go func() {
					for i := range 100 {
						d.SendText(fmt.Sprintf("%04d", i))
					}
				}()
				time.Sleep(time.Minute)
				want(t, "accepted", h.Stats().BatchAccepted, 20)
				want(t, "state", d.handle.State(), hub.StateOpen)
				close(release)
				d.wantAck(100)
				want(t, "stored", len(st.each()), 100)
			})
		})
	}
}

// TestAWindowIsNoDelay: a client that fills its window, and waits for room, waits for the store alone: neither for
// company in its batch nor for the next ack's turn.
func TestAWindowIsNoDelay(t *testing.T) {
	for name, row := range map[string]struct {
		cfg  hub.Config
		size int
		fits uint64
	}{
		"messages": {hub.Config{MaxUnsettled: 20}, 1, 20},
		"one":      {hub.Config{MaxUnsettled: 1}, 1, 1},
		"bytes":    {hub.Config{MaxUnsettledBytes: 100 << 10}, 30 << 10, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := ackHub(t, row.cfg, func(context.Context, *hub.Batch) error { time.Sleep(time.Millisecond); return nil })
				d := connectDevice(t, h, "dev1")
				start := time.Now()
				for sent, acked := uint64(0), uint64(0); sent < 300; {
					for ; sent < 300 && sent-acked < row.fits; sent++ {
						d.SendText(strings.Repeat("x", row.size))
					}
					n := d.note()
					want(t, "kind", n.WSX, "ack")
					acked = n.Seq
				}
				if took, most := time.Since(start), time.Duration(300/row.fits+3)*2*time.Millisecond; took > most {
					t.Errorf("it took %s, want %s at most", took, most)
				}
				want(t, "pauses", h.Stats().Pauses, 0)
			})
		})
	}
}

// TestBudget: when batches hold too much, new connections are refused, then readers wait; nothing is lost.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h, st := ackHub(t, hub.Config{BatchPer: hub.PerConn, IngestBudget: 10_000}, func(context.Context, *hub.Batch) error { <-release; return nil })
		var all []*device
		for i := range 20 {
			all = append(all, connectDevice(t, h, fmt.Sprint("dev", i)))
		}
		for _, d := range all {
			go func() {
				for range 10 {
					d.SendText(strings.Repeat("x", 200))
				}
			}()
		}
		time.Sleep(time.Minute)
		if used := h.Stats().BatchBytes; used > 10_000+200 {
			t.Errorf("batches hold %d bytes", used)
		}
		if _, err := h.Reserve(); !errors.Is(err, hub.ErrOverloaded) {
			t.Errorf("Reserve: got %v, want %v", err, hub.ErrOverloaded)
		}
		want(t, "refused", h.Stats().RefusedLoad, 1)
		close(release)
		for _, d := range all {
			d.wantAck(10)
			want(t, "state", d.handle.State(), hub.StateOpen)
		}
		want(t, "stored", len(st.each()), 200)
		r, err := h.Reserve()
		must(t, err)
		r.Release()
	})
}
