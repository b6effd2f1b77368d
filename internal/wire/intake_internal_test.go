package wire

import (
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestWhoSentMuchIsReadMuch: with a large buffer from the start, unless there is too little memory or calls take long.
func TestWhoSentMuchIsReadMuch(t *testing.T) {
	for name, row := range map[string]struct {
		long  bool
		state func(*Engine)
		large bool
	}{
		"much":                  {true, func(*Engine) {}, true},
		"little":                {false, func(*Engine) {}, false},
		"the outboxes are full": {true, func(e *Engine) { e.outboxes.used.Store(6) }, false},
		"they were":             {true, func(e *Engine) { e.strainedAt.Store(e.age() - int64(slowFor)/2) }, false},
		"they were long ago":    {true, func(e *Engine) { e.strainedAt.Store(e.age() - int64(slowFor)) }, true},
		"sends are slow":        {true, func(e *Engine) { e.pace.tell(e.age(), maxWrite, time.Millisecond) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := NewEngine(Config{OutboxBudget: 10})
			row.state(e)
			nc, other := net.Pipe()
			defer func() { _, _ = nc.Close(), other.Close() }()
			b := newIntake(New(nc, e, nil), row.long)
			defer b.release()
			if got := b.large != nil; got != row.large {
				t.Errorf("large buffer: got %v, want %v", got, row.large)
			}
		})
	}
}

// exhausted has the budget used up until somebody waits for that.
func exhausted(e *Engine) { exhaustedUntil(&e.outboxes, func() {}) }

// exhaustedUntil is exhausted until then has returned, which is called when somebody waits.
func exhaustedUntil(b *budget, then func()) {
	b.ease() // who has waited before counts no more
	b.used.Store(11)
	waits := func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.eased != nil
	}
	go func() {
		for !waits() {
			runtime.Gosched()
		}
		then()
		b.add(-11)
	}()
}

// TestWhoReadsMuchTakesTurns where too much waits for others, and for a second afterwards, or where sends take long:
// then before each piece, if it is a small one.
func TestWhoReadsMuchTakesTurns(t *testing.T) {
	const reads = 10
	slow := func(e *Engine) { e.pace.tell(e.age(), maxWrite, time.Millisecond) }
	for name, row := range map[string]struct {
		large bool
		state func(*Engine)
		takes time.Duration // to handle what was read
		wants func(turns int) bool
	}{
		"all is well":       {false, func(*Engine) {}, mostSpell, func(turns int) bool { return turns == 0 }},
		"too much waits":    {true, func(e *Engine) { e.outboxes.used.Store(6) }, mostSpell, func(turns int) bool { return turns > 1 }},
		"it has waited":     {false, exhausted, mostSpell, func(turns int) bool { return turns > 1 }},
		"too much has":      {false, func(e *Engine) { e.strainedAt.Store(e.age() - int64(slowFor)/2) }, mostSpell, func(turns int) bool { return turns > 1 }},
		"it is long ago":    {false, func(e *Engine) { e.strainedAt.Store(e.age() - int64(slowFor)) }, mostSpell, func(turns int) bool { return turns == 0 }},
		"sends are slow":    {false, slow, 0, func(turns int) bool { return turns == reads }},
		"with much in hand": {true, slow, mostSpell, func(turns int) bool { return turns > 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			turns, e := 0, NewEngine(Config{OutboxBudget: 10})
			e.takeTurn = func() { turns++ }
			row.state(e)
			nc, other := net.Pipe()
			defer func() { _, _ = nc.Close(), other.Close() }()
			c := New(nc, e, nil)
			for range reads {
				b := newIntake(c, false)
				if row.large {
					b.grow()
				}
				b.admit(len(b.space()))
				b.release()
				for begun := time.Now(); time.Since(begun) < row.takes; {
				}
			}
			if !row.wants(turns) {
				t.Errorf("%d turns in %d reads", turns, reads)
			}
		})
	}
}

// TestRoomIsLookedForAfterTheTurn: of many who wait for room, and are woken together, those whose turn comes late find
// that others have used it.
func TestRoomIsLookedForAfterTheTurn(t *testing.T) {
	e := NewEngine(Config{OutboxBudget: 10})
	b := &e.outboxes
	var woken atomic.Bool
	turn := false
	e.takeTurn = func() {
		if turn = woken.Load(); turn {
			exhausted(e)
		}
	}
	for end := time.Now().Add(10 * time.Second); !turn; { // more than once if this one does not come right behind others
		if time.Now().After(end) {
			t.Fatal("no turn is taken")
		}
		nc, other := net.Pipe()
		i := newIntake(New(nc, e, nil), false)
		exhaustedUntil(b, func() {
			woken.Store(true)
			for begun := time.Now(); time.Since(begun) < 2*time.Millisecond; e.readers.Piece(func() {}) {
				runtime.Gosched()
			}
			for begun := time.Now(); time.Since(begun) < 100*time.Microsecond; {
			}
		})
		i.admit(len(i.space()))
		i.release()
		_, _ = nc.Close(), other.Close()
		woken.Store(false)
	}
	if b.exhausted() {
		t.Error("it has not waited again")
	}
}

// TestTheEndOfStrainIsRemembered, and not only when it was first seen.
func TestTheEndOfStrainIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine(Config{OutboxBudget: 10})
		nc, other := net.Pipe()
		defer func() { _, _ = nc.Close(), other.Close() }()
		const waits = 200 * time.Millisecond
		time.Sleep(1) // at 0 nothing was ever seen
		exhaustedUntil(&e.outboxes, func() { time.Sleep(waits) })
		i := newIntake(New(nc, e, nil), false)
		defer i.release()
		i.admit(len(i.space()))
		if at := time.Duration(e.strainedAt.Load()); at < waits {
			t.Errorf("strain was last seen after %s, and lasted for %s", at, waits)
		}
	})
}
