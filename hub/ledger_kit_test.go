package hub_test

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// ledger is a store with transactions, in which the position of a stream is stored with its messages. Message n of a
// stream says n. It survives the hubs that write to it.
type ledger struct {
	t        *testing.T
	latency  time.Duration // the longest one
	failures float64       // how many of the transactions fail, half of these after they are committed
	poison   uint64        // every so manieth message cannot be stored; 0: none

	mu         sync.Mutex
	down       bool
	generation int // of the hub that may write
	positions  map[string]uint64
	entries    map[string][]ledgerEntry
}

type ledgerEntry struct {
	number uint64
	letter bool
}

func newLedger(t *testing.T) *ledger {
	return &ledger{t: t, positions: make(map[string]uint64), entries: make(map[string][]ledgerEntry)}
}

// transact runs a transaction of a hub. One that had begun when its hub was killed may still be committed, as by a
// database that has got it all.
func (l *ledger) transact(generation int, write func() error) error {
	l.mu.Lock()
	alive := generation == l.generation
	l.mu.Unlock()
	if l.latency > 0 {
		nap(rand.N(l.latency))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	alive = alive && (generation == l.generation || rand.IntN(2) == 0)
	if !alive || l.down || rand.Float64() < l.failures/2 {
		return errStore
	}
	if err := write(); err != nil {
		return err
	}
	if rand.Float64() < l.failures/2 {
		return errStore // nobody learns that it was committed
	}
	return nil
}

// store is an OnBatch.
func (l *ledger) store(generation int, b *hub.Batch) error {
	return l.transact(generation, func() error {
		for _, it := range b.All() {
			if l.poison > 0 && it.Number%l.poison == 0 && it.Number > l.positions[it.Stream] {
				return errStore // before anything is written: a transaction is whole
			}
		}
		for _, it := range b.All() {
			l.addLocked(it, false)
		}
		for _, p := range b.Positions() {
			if p.First > p.Last || p.Last > l.positions[p.Stream] {
				l.t.Errorf("positions %+v after a transaction that ends with %d", p, l.positions[p.Stream])
			}
		}
		return nil
	})
}

// bury is a DeadLetter.
func (l *ledger) bury(generation int, rejected []hub.Rejected) error {
	return l.transact(generation, func() error {
		for _, r := range rejected {
			l.addLocked(r.Item, true)
		}
		return nil
	})
}

func (l *ledger) addLocked(it hub.Item, letter bool) {
	switch at := l.positions[it.Stream]; {
	case it.Message.Text() != strconv.FormatUint(it.Number, 10):
		l.t.Errorf("%s: message %s has number %d", it.Stream, it.Message.Text(), it.Number)
	case it.Number <= at: // by a transaction whose commit nobody learned of
	case it.Number != at+1:
		l.t.Errorf("%s: number %d comes after %d", it.Stream, it.Number, at)
	default:
		l.positions[it.Stream] = it.Number
		l.entries[it.Stream] = append(l.entries[it.Stream], ledgerEntry{it.Number, letter})
	}
}

// position is a Config.Position.
func (l *ledger) position(stream string) (number uint64, known bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return 0, false, errStore
	}
	number, known = l.positions[stream]
	return number, known, nil
}

func (l *ledger) set(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

// check checks that a stream has every message once and in order, and returns how many went to the dead letter.
func (l *ledger) check(stream string, total int) (letters int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.entries[stream]
	if len(all) != total {
		l.t.Errorf("%s: %d messages stored, want %d", stream, len(all), total)
	}
	for i, e := range all {
		if e.number != uint64(i+1) {
			l.t.Errorf("%s: number %d in place %d", stream, e.number, i+1)
			break
		}
		if e.letter {
			letters++
		}
	}
	return letters
}

// process is one that can be killed: the store stays, and the hub and its connections go.
type process struct {
	t      *testing.T
	cfg    hub.Config
	ledger *ledger

	mu      sync.Mutex
	hub     *hub.Hub
	sockets []net.Conn
	serving sync.WaitGroup
}

func newProcess(t *testing.T, cfg hub.Config, l *ledger) *process {
	p := &process{t: t, cfg: cfg, ledger: l}
	p.boot()
	return p
}

func (p *process) boot() {
	l, generation := p.ledger, p.ledger.generation
	cfg := p.cfg
	cfg.Ack = hub.AckResume
	cfg.OnBatch = func(_ context.Context, b *hub.Batch) error { return l.store(generation, b) }
	cfg.DeadLetter = func(_ context.Context, rejected []hub.Rejected) error { return l.bury(generation, rejected) }
	cfg.Position = func(_ context.Context, stream string) (uint64, bool, error) { return l.position(stream) }
	p.hub = newHub(p.t, cfg)
}

// kill ends the hub as a process ends that is killed: none of its sockets is closed in order, and nothing that it still
// does reaches the store.
func (p *process) kill() {
	p.mu.Lock()
	p.ledger.mu.Lock()
	p.ledger.generation++
	p.ledger.mu.Unlock()
	old := p.hub
	for _, nc := range p.sockets {
		_ = nc.Close()
	}
	p.sockets = nil
	p.boot()
	p.mu.Unlock()
	dead, kill := context.WithCancel(context.Background())
	kill()
	_ = old.Shutdown(dead)
	wantSettled(p.t, old)
}

// nap lets time pass in the bubble.
func nap(d time.Duration) { time.Sleep(d) }

// wantSettled checks what must hold of every hub that has ended.
func wantSettled(t *testing.T, h *hub.Hub) {
	t.Helper()
	nap(time.Minute) // handlers that were left alone return
	synctest.Wait()
	s := h.Stats()
	if s.BatchAccepted != s.BatchHandled+s.DeadLettered+s.Rejected+s.Abandoned || s.BatchPending != 0 || s.BatchBytes != 0 {
		t.Errorf("the ledger does not add up: %+v", s)
	}
	want(t, "connections", s.Opened-s.Closed, 0)
}

// dial connects a device; on the way to it and back there may be faults.
func (p *process) dial(name string, faults ...wsxtest.Faults) *wsxtest.Client {
	near, far := net.Pipe()
	p.mu.Lock()
	h := p.hub
	p.sockets = append(p.sockets, far)
	p.mu.Unlock()
	p.serving.Go(func() {
		r := asSubject(name)
		r.Subprotocol = hub.AckProtocol
		_ = h.Serve(far, r)
	})
	for _, f := range faults {
		near = wsxtest.Faulty(near, f)
	}
	return wsxtest.NewClient(p.t, near)
}
