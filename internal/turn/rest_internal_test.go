//go:build unix

package turn

import (
	"testing"
	"time"
)

// TestTurnsThatRestAreTaken: the descriptor is kept for them, too.
func TestTurnsThatRestAreTaken(t *testing.T) {
	began := time.Now() // a timer calls closeIdle too, a while after this
	var turns Turns
	turns.Take()
	turns.closeIdle()
	turns.rest.Store(int64(time.Since(begin) + time.Minute))
	turns.Take()
	turns.closeIdle()
	turns.mu.Lock()
	defer turns.mu.Unlock()
	if turns.way == nil && time.Since(began) < linger {
		t.Error("the descriptor was given back at once")
	}
}
