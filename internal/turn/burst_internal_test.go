package turn

import (
	"slices"
	"testing"
	"time"
)

// TestBurst: a turn is due after 50 µs of pieces that follow one another, and not where there are pauses.
func TestBurst(t *testing.T) {
	for name, row := range map[string]struct {
		come, turns []int // in µs
	}{
		"few":                {[]int{1000, 1010, 1040, 1049}, nil},
		"many":               {[]int{1000, 1030, 1060, 1090, 1120, 1150}, []int{1060, 1120}},
		"long ones":          {[]int{1000, 1999, 2998, 3997}, []int{1999, 2998, 3997}},
		"longer ones":        {[]int{1000, 2000, 3000, 4000}, nil},
		"a pause in between": {[]int{1000, 1040, 2040, 2080, 2100}, []int{2100}},
	} {
		t.Run(name, func(t *testing.T) {
			var b Burst
			var turns []int
			for _, at := range row.come {
				b.piece(func() { turns = append(turns, at) }, func() int64 { return int64(at) * int64(time.Microsecond) })
			}
			if !slices.Equal(turns, row.turns) {
				t.Errorf("turns were taken at %v, want %v", turns, row.turns)
			}
		})
	}
}

// TestBurstInLine: while one waits for its turn, those that come wait for theirs, and not only every second one.
func TestBurstInLine(t *testing.T) {
	var b Burst
	now, inLine := int64(10*time.Millisecond), 0
	age := func() int64 { return now }
	var come func()
	come = func() {
		now += int64(time.Microsecond)
		b.piece(func() {
			if inLine++; inLine < 10 {
				come() // during the turn of this one
			}
		}, age)
	}
	b.piece(nil, age)
	now += int64(mostBurst)
	come()
	if inLine != 10 {
		t.Errorf("%d of 10 waited", inLine)
	}
}
