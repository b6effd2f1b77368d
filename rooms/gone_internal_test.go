package rooms

import (
	"errors"
	"testing"
)

// TestARoomThatHasGoneTakesNobody: who found it in the directory before its last member left has to look again.
func TestARoomThatHasGoneTakesNobody(t *testing.T) {
	r := New[string, int](Config{})
	if _, err := r.Join("a", 1); err != nil {
		t.Fatal(err)
	}
	found := r.open("a")
	r.Leave("a", 1)
	if joined, err := found.join(2, r.hash, 0); joined || !errors.Is(err, errGone) {
		t.Errorf("joined %t, %v; want %v", joined, err, errGone)
	}
}
