//go:build amd64 || arm64 || arm || riscv64 || loong64 || ppc64le

package wire

import "testing"

// TestLooksAreSpread: a thousand writers that wait since the same moment look again all over half of the time, and none
// of them later than it is to.
func TestLooksAreSpread(t *testing.T) {
	const n, parts = 1000, 10
	var in [parts]int
	for range n {
		d := spread(firstLook)
		if d <= firstLook/2 || d > firstLook {
			t.Fatalf("one looks after %v", d)
		}
		in[(firstLook-d)*parts/(firstLook/2)]++
	}
	for i, looks := range in {
		if looks < n/parts/3 || looks > n/parts*3 {
			t.Errorf("%d of %d look in part %d of %d", looks, n, i+1, parts)
		}
	}
}
