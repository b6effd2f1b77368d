package deflate

import (
	"bytes"
	"testing"
)

// TestAWindowKeepsItsSize: it is the end of all that was put behind it, and no more.
func TestAWindowKeepsItsSize(t *testing.T) {
	w := window{size: 100}
	var all []byte
	for i := range 300 {
		p := bytes.Repeat([]byte{byte(i)}, i%130)
		w.slide(p)
		all = append(all, p...)
		if want := all[max(0, len(all)-w.size):]; !bytes.Equal(w.data, want) {
			t.Fatalf("after %d bytes: got %d bytes %x, want %x", len(all), len(w.data), w.data, want)
		}
	}
	if cap(w.data) > w.size {
		t.Errorf("%d bytes are kept for a window of %d", cap(w.data), w.size)
	}
}
