package wire

import (
	"net"
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
