//go:build race

package wire

// poison overwrites memory that is about to be used again, so that in race builds whoever kept it reads garbage, or is
// reported by the race detector.
func poison(p []byte) {
	for i := range p {
		p[i] = 0xDB
	}
}
