package wire

import (
	"net"
	"runtime"
	"testing"
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
func exhausted(e *Engine) {
	b := &e.outboxes
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
