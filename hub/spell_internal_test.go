package hub

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSpells: a spell is over after so many receivers, by how long each of them takes.
func TestSpells(t *testing.T) {
	for _, test := range []struct {
		each  time.Duration // a receiver takes
		alone bool
		want  []int
	}{
		{time.Microsecond, true, []int{50, 50}},
		{time.Microsecond, false, []int{1000, 1000}},
		{9 * time.Microsecond, true, []int{6, 6}},
		{10 * time.Microsecond, true, []int{5, 5}},
		{10 * time.Microsecond, false, []int{5, 5}},
		{25 * time.Microsecond, true, []int{2, 2}},
		{30 * time.Microsecond, true, []int{2, 1}},
		{80 * time.Microsecond, true, []int{2, 1, 1}}, // the first look is after two
		{80 * time.Microsecond, false, []int{2, 1, 1}},
		{5 * time.Millisecond, false, []int{2, 1, 1}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSpell(test.alone)
			for i, want := range test.want {
				got := 0
				for over := false; !over; got++ {
					time.Sleep(test.each)
					over = s.over()
				}
				if got != want {
					t.Errorf("%v each, alone %v: spell %d has %d receivers, want %d", test.each, test.alone, i, got, want)
				}
				s.begin()
			}
		})
	}
}
