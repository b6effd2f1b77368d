package wire

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestAcks: what is acknowledged grows for as long as somebody has seen it grow within the last 50 ms.
func TestAcks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a acks
		for i, look := range []struct {
			after   time.Duration
			bytes   uint64
			growing bool
		}{
			{0, 0, false},
			{0, 1000, true},
			{49 * time.Millisecond, 1000, true},
			{time.Millisecond, 1000, false},
			{time.Hour, 1000, false},
			{0, 1001, true},
			{20 * time.Millisecond, 1002, true},
			{40 * time.Millisecond, 1002, true},
			{10 * time.Millisecond, 1002, false},
		} {
			time.Sleep(look.after)
			if got := a.growing(look.bytes); got != look.growing {
				t.Errorf("look %d: got %v, want %v", i, got, look.growing)
			}
		}
	})
}
