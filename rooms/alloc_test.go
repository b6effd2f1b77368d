//go:build !race

package rooms_test

import (
	"testing"

	"github.com/fiberwsx/wsx/rooms"
)

func TestHotCallsDoNotAllocate(t *testing.T) {
	r := rooms.New[string, int](rooms.Config{})
	for m := range 1000 {
		r.Join("a", m)
	}
	for m := range 5 {
		r.Join("b", m)
	}
	sum := 0
	yield := func(m int) bool { sum += m; return true }
	for name, f := range map[string]func(){
		"Each":     func() { r.Each("a", yield) },
		"Members":  func() { r.Members("a")(yield) },
		"Snapshot": func() { sum += len(r.Snapshot("a")) },
		"Has":      func() { r.Has("a", 7); r.Has("b", 7) },
		"Len":      func() { r.Len("a") },
		"Join and Leave, of many": func() {
			r.Join("a", -1)
			r.Leave("a", -1)
		},
		"Join and Leave, of few": func() {
			r.Join("b", -1)
			r.Leave("b", -1)
		},
	} {
		f() // makes the snapshot, or the room for one more
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
