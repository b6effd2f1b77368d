package wire

import (
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
