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
		first, second := new(Conn), new(Conn)
		hold := func(c *Conn, before, bytes int, want ...int) {
			t.Helper()
			b.hold(c, before, bytes, time.Now())
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
		if b.overruns(second) {
			t.Error("the second one has to go for what the first one holds")
		}
		hold(first, 99<<10, 0, 0, 80, 1, 0)
		hold(second, 80<<10, 8<<10, 8, 0, 0, 0)
		if len(b.holders) != 0 {
			t.Errorf("%d hold something in the end", len(b.holders))
		}
	})
}

// TestATurnIsNoMove: who lets others go while the budget closes somebody else has not moved by that, and goes next; but
// not in the middle of its turn, where another one goes in its place. Who has moved is spared.
func TestATurnIsNoMove(t *testing.T) {
	for name, row := range map[string]struct {
		meanwhile func(hold func(since time.Time), since time.Time)
		closed    string
	}{
		"nothing":          {func(func(time.Time), time.Time) {}, "ab"},
		"a turn":           {func(hold func(time.Time), since time.Time) { hold(since.Add(time.Millisecond)) }, "ab"},
		"a turn under way": {func(hold func(time.Time), _ time.Time) { hold(time.Time{}) }, "ac"},
		"progress":         {func(hold func(time.Time), _ time.Time) { hold(time.Now()) }, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := budget{most: 200 << 10, patience: patience}
				e := new(Engine)
				conns := []*Conn{{engine: e}, {engine: e}, {engine: e}}
				since, closed := time.Now(), ""
				b.close = func(c *Conn) error {
					if closed == "" {
						row.meanwhile(func(since time.Time) { b.hold(conns[1], 60<<10, 60<<10, since) }, since)
					}
					closed += string(rune('a' + slices.Index(conns, c)))
					return nil
				}
				for i, c := range conns {
					b.used.Add(int64(70-10*i) << 10)
					b.hold(c, 0, (70-10*i)<<10, since)
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
