package wire

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestBudgetCountsItsHolders: who has to go does not count, whatever it still holds, and is asked to once.
func TestBudgetCountsItsHolders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget{most: 100 << 10}
		first, second := new(Conn), new(Conn)
		hold := func(c *Conn, before, bytes, want int) {
			t.Helper()
			if b.hold(c, before, bytes, time.Now()); b.held != want {
				t.Errorf("the holders hold %d, want %d", b.held, want)
			}
		}
		hold(first, 0, smallShare, 0)
		hold(first, smallShare, 90<<10, 90<<10)
		hold(second, 0, 80<<10, 170<<10)
		time.Sleep(strainPatience)
		for range 2 {
			if !b.expels(first) || b.expels(second) {
				t.Error("the first one has to go, and no other")
			}
		}
		hold(first, 90<<10, 99<<10, 80<<10)
		hold(first, 99<<10, 0, 80<<10)
		hold(second, 80<<10, 10, 0)
		if len(b.holders) != 0 {
			t.Errorf("%d hold something in the end", len(b.holders))
		}
	})
}
