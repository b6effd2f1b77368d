package hub_test

import (
	"context"
	"fmt"
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
