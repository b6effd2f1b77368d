package batch

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestJitter: a pause is any part of the longest one, so that lanes that fail together do not come again together.
func TestJitter(t *testing.T) {
	given := jitter
	jitter = rand.N[time.Duration]
	defer func() { jitter = given }()
	c := Config{}.withDefaults()
	var early, late int
	for range 1000 {
		switch d := c.pause(3); {
		case d < 0 || d >= 400*time.Millisecond:
			t.Fatalf("a pause of %v, want less than 400ms", d)
		case d < 100*time.Millisecond:
			early++
		case d > 300*time.Millisecond:
			late++
		}
	}
	if early < 150 || late < 150 {
		t.Errorf("%d of 1000 pauses in the first quarter, %d in the last", early, late)
	}
}
