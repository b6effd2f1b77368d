//go:build unix

package turn

import (
	"testing"
	"time"
)

// TestTurnsThatRestAreTaken: the descriptor is kept for them, too.
func TestTurnsThatRestAreTaken(t *testing.T) {
	for range 20 {
		began := time.Now() // a timer calls closeIdle too, a while after this
		var turns Turns
		turns.Take()
		turns.closeIdle()
		turns.rest.Store(int64(time.Since(begin) + time.Minute))
		turns.Take()
		turns.closeIdle()
		turns.mu.Lock()
		kept := turns.way != nil
		turns.mu.Unlock()
		switch {
		case kept:
			return
		case time.Since(began) < linger:
			t.Fatal("the descriptor was given back at once")
		}
	}
	t.Fatalf("the process was held up for %v, 20 times", linger)
}
