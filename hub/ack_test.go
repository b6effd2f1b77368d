package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

func TestHelloAndAck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := ackHub(t, hub.Config{}, nil)
		d := connectDevice(t, h, "dev1")
		want(t, "hello", d.hello, note{WSX: "hello", Stream: "dev1", Epoch: d.hello.Epoch, Next: 1, Window: 1000, WindowBytes: 1 << 20})
		d.send(1, 3)
		d.wantAck(3)
		d.send(4, 4)
		d.wantAck(4)
		want(t, "stored", st.String(), "100ms dev1:1 dev1:2 dev1:3 | 200ms dev1:4")
		d.Close()
		d.gone()
		want(t, "acks", h.Stats().Acks, 2)
	})
}

// TestPlainClientsSeeNoAcks: those that have not asked get nothing, unless everybody does.
func TestPlainClientsSeeNoAcks(t *testing.T) {
	for _, always := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h, _ := ackHub(t, hub.Config{AckAlways: always}, nil)
			s := begin(t, h, asSubject("a"))
			if always {
				if got := s.ReadText(); !strings.Contains(got, `"hello"`) {
					t.Errorf("got %q, want the hello", got)
				}
			}
			s.SendText("x")
			time.Sleep(time.Second)
			s.SendClose(ws.StatusNormalClosure, "")
			m, err := s.Read()
			if always && string(m.Data) != `{"wsx":"ack","seq":1}` || !always && ws.StatusOf(err) != ws.StatusNormalClosure {
				t.Errorf("always %t: got %q, %v", always, m.Data, err)
			}
		})
	}
}

// TestAcksAreCoalesced: one for 256 messages, or each 100 ms.
func TestAcksAreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := ackHub(t, hub.Config{Batch: batch.Config{MaxItems: 1}}, nil)
		d := connectDevice(t, h, "dev1")
		go d.send(1, 2000)
		var acks []uint64
		start := time.Now()
		for len(acks) == 0 || acks[len(acks)-1] < 2000 {
			n := d.note()
			want(t, "kind", n.WSX, "ack")
			acks = append(acks, n.Seq)
		}
		if most := 2000/256 + 3 + int(time.Since(start)/(100*time.Millisecond)); len(acks) > most || !slices.IsSorted(acks) {
			t.Errorf("%d acks, want %d at most: %v", len(acks), most, acks)
		}
	})
}

// TestNack: a message that is refused has its nack, and is settled: the acks go on behind it.
func TestNack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := ackHub(t, hub.Config{Batch: batch.Config{Attempts: 2}}, func(_ context.Context, b *hub.Batch) error {
			for i, it := range b.All() {
				switch it.Message.Text() {
				case "2":
					b.Reject(i, errors.New("no number"))
				case "4":
					return errStore
				}
			}
			return nil
		})
		d := connectDevice(t, h, "dev1")
		d.send(1, 5)
		var got []string
		for {
			n := d.note()
			if n.WSX == "ack" && n.Seq == 5 {
				break
			}
			if n.WSX == "nack" {
				got = append(got, fmt.Sprintf("%d %s %t %d", n.Seq, n.Code, n.Retry, n.AfterMS))
			}
		}
		want(t, "nacks", strings.Join(got, ", "), "2 rejected false 0, 4 failed true 500")
		stats := h.Stats()
		want(t, "handled", stats.BatchHandled, 3)
		want(t, "rejected", stats.Rejected, 2)
		want(t, "nacks", stats.Nacks, 2)
		if strings.Contains(st.String(), "dev1:4") {
			t.Errorf("stored %s", st)
		}
	})
}

// TestDeadLetterIsAcknowledged: what the dead letter takes is settled without a nack.
func TestDeadLetterIsAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var letters list[string]
		h, _ := ackHub(t, hub.Config{
			Batch: batch.Config{Attempts: 1},
			DeadLetter: func(_ context.Context, rejected []hub.Rejected) error {
				for _, r := range rejected {
					letters.add(fmt.Sprint(r.Stream, " ", r.Number, " ", r.Message.Text(), " ", r.Poison, " ", r.Err))
				}
				return nil
			},
		}, func(_ context.Context, b *hub.Batch) error {
			for _, it := range b.All() {
				if it.Message.Text() == "2" {
					return errStore
				}
			}
			return nil
		})
		d := connectDevice(t, h, "dev1")
		d.send(1, 3)
		d.wantAck(3)
		want(t, "dead letters", strings.Join(letters.all(), ", "), "dev1 2 2 true store is down")
		want(t, "dead-lettered", h.Stats().DeadLettered, 1)
	})
}

// TestAckBeforeClose: whoever closes, the last ack goes out first.
func TestAckBeforeClose(t *testing.T) {
	for name, end := range map[string]func(h *hub.Hub, d *device){
		"server":   func(_ *hub.Hub, d *device) { _ = d.handle.Close(ws.StatusKicked, "") },
		"client":   func(_ *hub.Hub, d *device) { d.SendClose(ws.StatusNormalClosure, "") },
		"protocol": func(_ *hub.Hub, d *device) { go func() { _ = d.Raw([]byte{0xff, 0xff}) }() },
		"shutdown": func(h *hub.Hub, _ *device) { go func() { _ = h.Shutdown(context.Background()) }() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := ackHub(t, hub.Config{Batch: batch.Config{MaxAge: 10 * time.Millisecond}}, nil)
				d := connectDevice(t, h, "dev1")
				d.send(1, 1)
				d.wantAck(1) // at once, so the next one waits for its turn
				d.send(2, 9)
				time.Sleep(20 * time.Millisecond) // settled, and not acknowledged
				end(h, d)
				d.wantAck(9)
				if _, err := d.Read(); ws.StatusOf(err) == 0 {
					t.Errorf("got %v, want a close frame", err)
				}
			})
		})
	}
}

// TestShutdownAcknowledges what it finishes, and nothing that it gives up.
func TestShutdownAcknowledges(t *testing.T) {
	for name, fails := range map[string]bool{"stored": false, "given up": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, _ := ackHub(t, hub.Config{Batch: batch.Config{MaxAge: time.Hour, Attempts: -1}}, func(context.Context, *hub.Batch) error {
					if fails {
						return errStore
					}
					return nil
				})
				d := connectDevice(t, h, "dev1")
				d.send(1, 50)
				d.sync()
				shutdown(context.Background(), h)
				if !fails {
					d.wantAck(50)
				}
				want(t, "close frame", <-d.live(), ws.StatusGoingAway)
				d.gone()
				time.Sleep(time.Minute)
				stats := h.Stats()
				want(t, "ledger", stats.BatchAccepted, stats.BatchHandled+stats.DeadLettered+stats.Rejected+stats.Abandoned)
				want(t, "given up", stats.Abandoned, map[bool]uint64{true: 50}[fails])
				want(t, "nacks", stats.Nacks, 0)
			})
		})
	}
}

// TestSettleOutOfOrder: an ack covers what is settled from the start without a gap, in whatever order that happens.
func TestSettleOutOfOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := ackHub(t, hub.Config{Batch: batch.Config{MaxItems: 4, Attempts: 1}}, func(_ context.Context, b *hub.Batch) error {
			for i := range b.All() {
				if i == 1 {
					b.Reject(i, nil)
				}
			}
			return nil
		})
		d := connectDevice(t, h, "dev1")
		d.send(1, 400)
		acked, refused := uint64(0), map[uint64]bool{}
		for acked < 400 {
			switch n := d.note(); n.WSX {
			case "nack":
				refused[n.Seq] = true
			case "ack":
				for i := acked + 1; i <= n.Seq; i++ {
					if i%4 == 2 && !refused[i] {
						t.Fatalf("%d is acknowledged before its nack", i)
					}
				}
				acked = n.Seq
			}
		}
		want(t, "nacks", len(refused), 100)
	})
}

// TestOverTheRate: what a limit refuses has a number and a nack like every other message.
func TestOverTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, st := ackHub(t, hub.Config{Rate: 1, Burst: 3}, nil)
		d := connectDevice(t, h, "dev1")
		d.send(1, 5)
		var nacks []uint64
		for acked := uint64(0); acked < 5; {
			switch n := d.note(); {
			case n.WSX == "nack" && n.Code == "rate_limited" && n.Retry:
				nacks = append(nacks, n.Seq)
			case n.WSX == "ack":
				acked = n.Seq
			default:
				t.Fatalf("got %+v", n)
			}
		}
		if !slices.Equal(nacks, []uint64{4, 5}) {
			t.Errorf("nacks for %v, want 4 and 5", nacks)
		}
		time.Sleep(time.Minute)
		d.send(6, 6)
		d.wantAck(6)
		want(t, "stored", strings.Join(st.each(), " "), "dev1:1 dev1:2 dev1:3 dev1:6")
	})
}
