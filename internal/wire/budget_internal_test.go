package wire

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestBudgetCountsItsHolders: who was told to go counts apart, whatever it holds from then on.
func TestBudgetCountsItsHolders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget{most: 100 << 10}
		first, second, third := new(Conn), new(Conn), new(Conn)
		hold := func(c *Conn, before, bytes int, want ...int) {
			t.Helper()
			b.hold(c, before, bytes, time.Now(), time.Now())
			b.used.Add(int64(bytes - before))
			for i, got := range []int{int(b.little.Load()) >> 10, int(b.held >> 10), b.staying, int(b.leaving >> 10)} {
				if got != want[i] {
					t.Fatalf("little, held, staying, leaving: got %d in place %d, want %d", got, i, want)
				}
			}
		}
		hold(first, 0, 16<<10, 16, 0, 0, 0)
		hold(first, 16<<10, 90<<10, 0, 90, 1, 0)
		hold(second, 0, 80<<10, 0, 170, 2, 0)
		if b.overruns(first) {
			t.Error("it has to go at once")
		}
		time.Sleep(strainPatience)
		if !b.overruns(first) || b.overruns(second) {
			t.Error("the one with more has to go, and no other")
		}
		b.leaves(first)
		b.leaves(first)
		hold(first, 90<<10, 99<<10, 0, 80, 1, 99)
		hold(third, 0, 80<<10, 0, 160, 2, 99)
		b.used.Add(-80 << 10) // it shares all of it with the second one
		if b.overruns(second) {
			t.Error("the second one has to go for what the first one holds")
		}
		hold(third, 80<<10, 0, 0, 80, 1, 99)
		hold(first, 99<<10, 0, 0, 80, 1, 0)
		hold(second, 80<<10, 8<<10, 8, 0, 0, 0)
		if len(b.holders) != 0 {
			t.Errorf("%d hold something in the end", len(b.holders))
		}
	})
}

// TestATurnIsNoMove: who lets others go while the budget closes somebody else has not moved by that, and goes next. Who
// has moved is spared, whatever it does behind that, and whenever it says so.
func TestATurnIsNoMove(t *testing.T) {
	for name, row := range map[string]struct {
		meanwhile func(say func(moved, since time.Time), moved, found time.Time)
		closed    string
	}{
		"nothing": {func(func(_, _ time.Time), time.Time, time.Time) {}, "ab"},
		"a turn": {func(say func(_, _ time.Time), moved, _ time.Time) {
			say(moved, moved.Add(time.Millisecond))
		}, "ab"},
		"a long turn": {func(say func(_, _ time.Time), moved, _ time.Time) {
			say(moved, moved.Add(time.Second))
		}, "ab"},
		"a turn under way": {func(say func(_, _ time.Time), moved, _ time.Time) { say(moved, time.Time{}) }, "ab"},
		"progress":         {func(say func(_, _ time.Time), _, found time.Time) { say(found, found) }, "a"},
		"progress before it was found": {func(say func(_, _ time.Time), _, found time.Time) {
			say(found.Add(-time.Millisecond), found.Add(-time.Millisecond))
		}, "a"},
		"progress, and then a turn": {func(say func(_, _ time.Time), _, found time.Time) { say(found, time.Time{}) }, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := budget{most: 200 << 10, patience: patience}
				e := new(Engine)
				conns := []*Conn{{engine: e}, {engine: e}, {engine: e}}
				moved, closed := time.Now(), ""
				b.close = func(c *Conn) error {
					if closed == "" {
						row.meanwhile(func(moved, since time.Time) {
							b.hold(conns[1], 60<<10, 60<<10, moved, since)
						}, moved, time.Now())
					}
					closed += string(rune('a' + slices.Index(conns, c)))
					return nil
				}
				for i, c := range conns {
					b.used.Add(int64(70-10*i) << 10)
					b.hold(c, 0, (70-10*i)<<10, moved, moved)
				}
				time.Sleep(strainPatience)
				b.relieve()
				b.timer.Stop()
				if closed != row.closed {
					t.Errorf("closed %s, want %s", closed, row.closed)
				}
			})
		})
	}
}
