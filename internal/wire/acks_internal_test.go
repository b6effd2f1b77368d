package wire

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestAcks: what is acknowledged grows for as long as somebody has seen it grow within the last 50 ms. When nobody
// has looked for a second, it has grown no later than the last acknowledgement came.
func TestAcks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a acks
		for i, look := range []struct {
			after   time.Duration
			bytes   uint64
			growing bool
			quiet   time.Duration
		}{
			{0, 0, false, 0},
			{0, 1000, true, 0},
			{49 * time.Millisecond, 1000, true, 0},
			{time.Millisecond, 1000, false, 0},
			{time.Hour, 1000, false, 0},
			{0, 1001, true, 0},
			{20 * time.Millisecond, 1002, true, 0},
			{40 * time.Millisecond, 1002, true, 0},
			{10 * time.Millisecond, 1002, false, 0},
			{time.Second, 1003, false, 50 * time.Millisecond},
			{time.Second, 1004, true, 49 * time.Millisecond},
			{time.Second - 1, 1005, true, 50 * time.Millisecond},
		} {
			time.Sleep(look.after)
			if got := a.growing(sending{acked: look.bytes, quiet: look.quiet}); got != look.growing {
				t.Errorf("look %d: got %v, want %v", i, got, look.growing)
			}
		}
	})
}
