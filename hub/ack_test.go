package hub_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// note is what wsx tells a client of its messages.
type note struct {
	WSX         string `json:"wsx"`
	Stream      string `json:"stream"`
	Epoch       uint64 `json:"epoch"`
	Resumed     bool   `json:"resumed"`
	Next        uint64 `json:"next"`
	Window      int    `json:"window"`
	WindowBytes int    `json:"window_bytes"`
	Seq         uint64 `json:"seq"`
	Code        string `json:"code"`
	Retry       bool   `json:"retry"`
	AfterMS     int    `json:"after_ms"`
}

// device is a client that has asked for acks.
type device struct {
	*session
	hello note
}

// connectDevice connects, and reads the hello.
func connectDevice(t *testing.T, h *hub.Hub, name string) *device {
	t.Helper()
	r := asSubject(name)
	r.Subprotocol = hub.AckProtocol
	d := &device{session: begin(t, h, r)}
	d.hello = d.note()
	if d.hello.WSX != "hello" || d.hello.Stream != cmp.Or(name, d.hello.Stream) {
		t.Fatalf("got %+v, want the hello of %q", d.hello, name)
	}
	d.find()
	return d
}

func (d *device) note() (n note) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(d.ReadText()), &n); err != nil {
		d.t.Fatal(err)
	}
	return n
}

// wantAck reads acks up to a number, and nothing else.
func (d *device) wantAck(number uint64) {
	d.t.Helper()
	for last := uint64(0); last < number; {
		n := d.note()
		if n.WSX != "ack" || n.Seq <= last || n.Seq > number {
			d.t.Fatalf("got %+v, want an ack up to %d", n, number)
		}
		last = n.Seq
	}
}

// send sends messages with these numbers.
func (d *device) send(first, last int) {
	d.t.Helper()
	for i := first; i <= last; i++ {
		d.SendText(fmt.Sprint(i))
	}
}

// ackHub returns a hub whose batches are stored, and the store.
func ackHub(t *testing.T, cfg hub.Config, before func(ctx context.Context, b *hub.Batch) error) (*hub.Hub, *store) {
	st := newStore(before)
	cfg.OnBatch, cfg.Ack = st.handle, max(cfg.Ack, hub.AckBatch)
	return newHub(t, cfg), st
}

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

// TestTakeover: a newer connection of the same device gets the stream once everything of the older one is settled; the
// numbers go on, and the older one is told.
func TestTakeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h, st := ackHub(t, hub.Config{}, func(context.Context, *hub.Batch) error { <-release; return nil })
		old := connectDevice(t, h, "dev1")
		old.send(1, 5)
		old.sync()
		replaced := old.live()
		r := asSubject("dev1")
		r.Subprotocol = hub.AckProtocol
		next := &device{session: begin(t, h, r)}
		want(t, "old one", <-replaced, ws.StatusReplaced)
		greeted := make(chan note, 1)
		go func() { greeted <- next.note() }()
		time.Sleep(time.Second)
		select {
		case n := <-greeted:
			t.Fatalf("got %+v before the older messages were settled", n)
		default:
		}
		close(release)
		n := <-greeted
		if !n.Resumed || n.Next != 6 || n.Epoch <= old.hello.Epoch {
			t.Errorf("got %+v, want that number 6 is next", n)
		}
		next.send(6, 7)
		next.wantAck(7)
		want(t, "stored in order", strings.Join(st.each(), " "), "dev1:1 dev1:2 dev1:3 dev1:4 dev1:5 dev1:6 dev1:7")
		other := connectDevice(t, h, "dev2")
		want(t, "another's next", other.hello.Next, 1)
	})
}

// TestReconnect: what was received is not asked for again, what was not is.
func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := ackHub(t, hub.Config{}, nil)
		d := connectDevice(t, h, "dev1")
		d.send(1, 3)
		d.sync()
		_ = d.Conn().Close() // without having read an ack
		d.gone()
		again := connectDevice(t, h, "dev1")
		if !again.hello.Resumed || again.hello.Next != 4 {
			t.Errorf("got %+v", again.hello)
		}
		anonymous := connectDevice(t, h, "")
		if anonymous.hello.Resumed || anonymous.hello.Next != 1 || anonymous.hello.Stream == "" {
			t.Errorf("got %+v", anonymous.hello)
		}
		want(t, "streams", h.Stats().Streams, 1)
	})
}

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

// TestResume: with AckResume the numbers go on where the stored ones end, also in another process.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stored := map[string]uint64{"dev1": 41}
		resume := hub.Config{
			Ack: hub.AckResume, Batch: batch.Config{OnPoison: batch.Hold},
			Position: func(_ context.Context, stream string) (uint64, bool, error) {
				n, ok := stored[stream]
				return n, ok, nil
			},
		}
		store := func(_ context.Context, b *hub.Batch) error {
			for _, p := range b.Positions() {
				if p.First != stored[p.Stream]+1 {
					t.Errorf("positions %+v behind %d", p, stored[p.Stream])
				}
				stored[p.Stream] = p.Last
			}
			return nil
		}
		for round := range uint64(3) { // processes
			h, _ := ackHub(t, resume, store)
			d := connectDevice(t, h, "dev1")
			if !d.hello.Resumed || d.hello.Next != 42+10*round {
				t.Errorf("got %+v", d.hello)
			}
			d.send(1, 10)
			d.wantAck(51 + 10*round)
			fresh := connectDevice(t, h, fmt.Sprint("new", round))
			if fresh.hello.Resumed || fresh.hello.Next != 1 {
				t.Errorf("got %+v", fresh.hello)
			}
			go d.live()
			go fresh.live()
			must(t, h.Shutdown(context.Background()))
		}
	})
}

// TestPositionFails: without the position nothing is accepted, and the client is told to come back.
func TestPositionFails(t *testing.T) {
	for name, fail := range map[string]func() error{"error": func() error { return errStore }, "panic": func() error { panic(marker) }} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, st := ackHub(t, hub.Config{
					Ack: hub.AckResume, Batch: batch.Config{OnPoison: batch.Hold},
					Position: func(context.Context, string) (uint64, bool, error) { return 0, false, fail() },
				}, nil)
				r := asSubject("dev1")
				r.Subprotocol = hub.AckProtocol
				s := begin(t, h, r)
				e := s.ReadClose()
				if e.Status != ws.StatusTryAgainLater && e.Status != ws.StatusInternalError {
					t.Errorf("got %v", e)
				}
				want(t, "stored", len(st.each()), 0)
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

// TestNumbersEndWithTakeover: what the older connection still has in hand when it is replaced does not count, because
// the newer one begins with the number behind what was handed over.
func TestNumbersEndWithTakeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h, st := ackHub(t, hub.Config{
			OnPing: func(c *hub.Conn, _ []byte) {
				if c.Subject() == "dev1" {
					<-release
				}
			},
		}, nil)
		old := connectDevice(t, h, "dev1")
		go func() { // messages behind a ping whose callback blocks
			frames := wsxtest.AppendFrame(nil, true, wire.OpPing, nil)
			frames = wsxtest.AppendFrame(frames, true, wireText, []byte("late"))
			_ = old.Raw(frames)
		}()
		synctest.Wait()
		next := connectDevice(t, h, "dev1")
		want(t, "next", next.hello.Next, 1)
		close(release)
		go old.live()
		next.send(1, 1)
		next.wantAck(1)
		want(t, "stored", strings.Join(st.each(), " "), "dev1:1")
	})
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
