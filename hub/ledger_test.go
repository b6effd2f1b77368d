package hub_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestLedger: twenty devices on connections that are cut anywhere, a store that fails, sometimes once it has committed,
// and is gone for a while, messages that cannot be stored, and a process that is killed again and again. In the end
// every message is stored or dead-lettered once, in the order of its device, and none was acknowledged before.
func TestLedger(t *testing.T) {
	for name, per := range map[string]hub.BatchPer{"shared": hub.Shared, "per connection": hub.PerConn} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testLedger(t, per) })
		})
	}
}

func testLedger(t *testing.T, per hub.BatchPer) {
	const devices, messages, kills = 20, 300, 6
	l := newLedger(t)
	l.latency, l.failures, l.poison = 30*time.Millisecond, 0.2, 97
	p := newProcess(t, hub.Config{BatchPer: per, MaxUnsettled: 64, Batch: batch.Config{
		MaxItems: 40, Attempts: 4, Backoff: 20 * time.Millisecond, OnPoison: batch.Hold,
	}}, l)
	var all sync.WaitGroup
	senders := make([]*sender, devices)
	for i := range senders {
		d := &sender{t: t, name: fmt.Sprint("dev", i), total: messages, pause: func() time.Duration { return rand.N(100 * time.Millisecond) }}
		d.check = func(acked uint64) {
			if stored, _, err := l.position(d.name); err == nil && stored < acked {
				t.Errorf("%s: %d acknowledged, %d stored", d.name, acked, stored)
			}
		}
		senders[i] = d
		all.Go(func() { p.live(d) })
	}
	for i := range kills {
		time.Sleep(time.Second + rand.N(3*time.Second))
		p.kill()
		if i == kills/2 {
			l.set(true)
			time.Sleep(20 * time.Second)
			l.set(false)
		}
	}
	all.Wait()
	must(t, p.hub.Shutdown(context.Background()))
	wantSettled(t, p.hub)
	p.serving.Wait()
	letters := 0
	for _, d := range senders {
		letters += l.check(d.name, messages)
		want(t, "nacks", d.nacks, 0)
	}
	if least := devices * (messages / 97); letters < least {
		t.Errorf("%d dead letters, want %d at least", letters, least)
	}
}

// live connects, over connections that are cut sooner or later, until everything is acknowledged. Now and then the
// device forgets an old connection without closing it.
func (p *process) live(d *sender) {
	for !p.t.Failed() {
		faults := []wsxtest.Faults{{ChunkSize: 1 + rand.IntN(40)}, {Reading: true, ChunkSize: 1 + rand.IntN(40)}}
		switch at := 1 + rand.Int64N(1500); rand.IntN(4) {
		case 0:
			faults[0].TruncateAfter = at
		case 1:
			faults[1].TruncateAfter = at
		case 2:
			faults[0].ResetAfter = at
		}
		if d.visit(p.dial(d.name, faults...)) {
			return
		}
		time.Sleep(rand.N(200 * time.Millisecond))
		if rand.IntN(4) == 0 { // it sends something that nobody waits for
			lost := p.dial(d.name, wsxtest.Faults{LoseAfter: -1})
			go func() { time.Sleep(rand.N(time.Second)); _ = lost.Conn().Close() }()
		}
	}
}

// TestOnePoisonInAThousand: 999 stored once, one dead-lettered, in order.
func TestOnePoisonInAThousand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		l.poison = 577
		p := newProcess(t, hub.Config{}, l)
		d := &sender{t: t, name: "dev1", total: 1000}
		if !d.visit(p.dial(d.name)) {
			t.Fatal("the connection has ended")
		}
		must(t, p.hub.Shutdown(context.Background()))
		wantSettled(t, p.hub)
		want(t, "dead letters", l.check(d.name, 1000), 1)
		want(t, "handled", p.hub.Stats().BatchHandled, 999)
		want(t, "dead-lettered", p.hub.Stats().DeadLettered, 1)
		want(t, "nacks", d.nacks, 0)
	})
}

// TestTrickle: messages that come a little faster than MaxAge do not hold a batch open.
func TestTrickle(t *testing.T) {
	const tick = 10 * time.Millisecond
	for _, per := range []hub.BatchPer{hub.Shared, hub.PerConn} {
		synctest.Test(t, func(t *testing.T) {
			oldest, n := time.Duration(0), 0
			h, _ := ackHub(t, hub.Config{BatchPer: per}, func(_ context.Context, b *hub.Batch) error {
				for _, it := range b.All() {
					oldest = max(oldest, time.Since(it.At))
					n++
				}
				return nil
			})
			d := connectDevice(t, h, "dev1")
			acks := d.live()
			for i := range 300 {
				d.send(i, i)
				time.Sleep(90 * time.Millisecond)
			}
			must(t, h.Shutdown(context.Background()))
			want(t, "messages", n, 300)
			if oldest > 100*time.Millisecond+tick {
				t.Errorf("a message waited for %s", oldest)
			}
			<-acks
		})
	}
}

// TestTailOfAVanishedClient: a batch that is half full is handled though its client is gone without a word.
func TestTailOfAVanishedClient(t *testing.T) {
	for _, row := range []struct {
		per   hub.BatchPer
		after time.Duration
	}{{hub.Shared, 10 * time.Second}, {hub.PerConn, 0}} {
		synctest.Test(t, func(t *testing.T) {
			h, st := ackHub(t, hub.Config{BatchPer: row.per, Batch: batch.Config{MaxAge: 10 * time.Second}}, nil)
			d := connectDevice(t, h, "dev1")
			d.send(1, 20)
			d.sync()
			_ = d.Conn().Close()
			d.gone()
			time.Sleep(row.after)
			synctest.Wait()
			want(t, "stored", len(st.each()), 20)
			again := connectDevice(t, h, "dev1")
			if !again.hello.Resumed || again.hello.Next != 21 {
				t.Errorf("got %+v", again.hello)
			}
		})
	}
}

// TestStalledStore: while the store hangs for a minute the hub holds no more than its budget, and closes nobody, though
// heartbeats stay unanswered behind what is not read; then everything goes on in order.
func TestStalledStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const devices, perDevice, size, limit = 20, 120, 4 << 10, 1 << 20
		stalled := make(chan struct{})
		var ended list[error]
		h, st := ackHub(t, hub.Config{
			IngestBudget: limit, MaxUnsettledBytes: limit / 4, // so that no device gets everything in
			Batch:        batch.Config{Lanes: 1}, // each more rounds a slab up, too
			PingInterval: 5 * time.Second, PongTimeout: 2 * time.Second,
			OnClose: func(_ *hub.Conn, err error) { ended.add(err) },
		}, func(context.Context, *hub.Batch) error { <-stalled; return nil })
		p := &process{t: t, hub: h}
		var all sync.WaitGroup
		clients := make([]*wsxtest.Client, devices)
		for i := range clients {
			clients[i] = p.dial(fmt.Sprint("dev", i))
		}
		synctest.Wait() // all are in: later ones would be refused
		idle := heapInUse()
		for i, c := range clients {
			d := &sender{t: t, name: fmt.Sprint("dev", i), total: perDevice, padding: size}
			all.Go(func() {
				if !d.visit(c) {
					t.Errorf("%s: the connection has ended", d.name)
				}
			})
		}
		time.Sleep(10 * time.Second)
		before := heapInUse()
		time.Sleep(50 * time.Second)
		// Slabs are powers of two, and each connection has what it read last in hand.
		if now, most := heapInUse(), idle+2*limit+devices*(64<<10); now > most || now > before+limit/4 {
			t.Errorf("the heap grew from %d to %d bytes, and to %d after a minute; want %d at most", idle, before, now, most)
		}
		s := h.Stats()
		if most := uint64(limit + devices*(64<<10)); s.BatchBytes > most || s.BatchBytes < limit/2 {
			t.Errorf("batches hold %d bytes, want %d at most", s.BatchBytes, most)
		}
		if _, err := h.Reserve(); !errors.Is(err, hub.ErrOverloaded) {
			t.Errorf("Reserve: got %v, want %v", err, hub.ErrOverloaded)
		}
		want(t, "closed during the stall", len(ended.all()), 0)
		want(t, "paused", s.Paused, devices)
		close(stalled)
		all.Wait()
		want(t, "paused in the end", h.Stats().Paused, 0)
		for i := range devices {
			wantInOrder(t, st.of(fmt.Sprint("dev", i)), perDevice)
		}
		must(t, h.Shutdown(context.Background()))
		wantSettled(t, h)
	})
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // for what the first one has only unlinked from its pools
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// wantInOrder checks that padded numbers are those from 1 on.
func wantInOrder(t *testing.T, payloads []string, n int) {
	t.Helper()
	want(t, "stored", len(payloads), n)
	for i, p := range payloads {
		if strings.TrimSpace(p) != fmt.Sprint(i+1) {
			t.Errorf("%.9q in place %d", p, i+1)
			return
		}
	}
}
