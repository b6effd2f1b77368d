//go:build unix && !race

package turn_test

import (
	"testing"

	"github.com/fiberwsx/wsx/internal/turn"
)

func TestTakeDoesNotAllocate(t *testing.T) {
	var turns turn.Turns
	turns.Take()
	if n := testing.AllocsPerRun(1000, turns.Take); n != 0 {
		t.Errorf("a turn allocates %v times", n)
	}
}
