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
		"few":                {[]int{20_000, 20_010, 20_040, 20_049}, nil},
		"many":               {[]int{20_000, 20_030, 20_060, 20_090, 20_120, 20_150}, []int{20_060, 20_120}},
		"long ones":          {[]int{20_000, 29_999, 39_998, 49_997}, []int{29_999, 39_998, 49_997}},
		"longer ones":        {[]int{20_000, 30_000, 40_000, 50_000}, nil},
		"a pause in between": {[]int{20_000, 20_040, 30_040, 30_080, 30_100}, []int{30_100}},
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
	now, inLine := int64(time.Second), 0
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
