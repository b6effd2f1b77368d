//go:build race

package batch

// poison overwrites the payloads of a settled batch, so that in race builds a handler that kept one reads garbage,
// or is reported by the race detector.
func poison(slab []byte) {
	for i := range slab {
		slab[i] = 0xDB
	}
}
