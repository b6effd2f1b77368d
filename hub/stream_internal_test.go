package hub

import "testing"

// TestSettlePrefix: what is settled counts up to the first number that is not, in whatever order that happens.
func TestSettlePrefix(t *testing.T) {
	s := &stream{hub: New(Config{OnMessage: func(*Conn, Message) error { return nil }}), next: 21}
	for _, step := range []struct {
		run  run
		want uint64
	}{
		{run{3, 4}, 0}, {run{10, 10}, 0}, {run{6, 8}, 0}, {run{1, 2}, 4}, {run{5, 5}, 8}, {run{12, 20}, 8}, {run{11, 11}, 8}, {run{9, 9}, 20},
	} {
		s.settle(step.run, 1)
		if got := s.settled.Load(); got != step.want {
			t.Fatalf("after %v: settled up to %d, want %d", step.run, got, step.want)
		}
	}
	if len(s.early) != 0 || s.settledBytes.Load() != 8 || !s.quietLocked() {
		t.Errorf("%d runs are left, %d bytes settled", len(s.early), s.settledBytes.Load())
	}
}

// TestClaimOfAnotherConnection: messages that a connection still has in hand when it is replaced get no numbers.
func TestClaimOfAnotherConnection(t *testing.T) {
	older, newer := new(Conn), new(Conn)
	s := &stream{conn: older, next: 1}
	if first, ok := s.claim(older, 3, 30); !ok || first != 1 {
		t.Fatalf("got %d, %t", first, ok)
	}
	s.conn = newer
	if _, ok := s.claim(older, 1, 10); ok {
		t.Error("the older connection goes on")
	}
	if first, ok := s.claim(newer, 1, 10); !ok || first != 4 {
		t.Errorf("got %d, %t, want number 4", first, ok)
	}
}

// TestAckWaitsForNacks: an ack passes no message whose nack is not told, in whatever order they were refused: at once,
// because of the rate, or later, with their batch.
func TestAckWaitsForNacks(t *testing.T) {
	s := &stream{nacks: []nack{{number: 5}, {number: 3}}}
	s.settled.Store(6)
	for told, want := range []uint64{2, 2, 6} {
		s.told = told
		if got := s.ackableLocked(); got != want {
			t.Errorf("%d nacks told: up to %d, want %d", told, got, want)
		}
	}
}
