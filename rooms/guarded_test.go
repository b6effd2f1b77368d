package rooms_test

import (
	"sync"
	"testing"

	"github.com/fiberwsx/wsx/rooms"
)

// TestJoinMeetsTheLastLeave has somebody join a room in the moment in which its last member leaves it: the room goes,
// and whoever has joined is in one all the same.
func TestJoinMeetsTheLastLeave(t *testing.T) {
	r := rooms.New[string, int](rooms.Config{})
	for range 20_000 {
		r.Join("a", 1)
		var both sync.WaitGroup
		both.Go(func() { r.Leave("a", 1) })
		both.Go(func() { r.Join("a", 2) })
		both.Wait()
		if !r.Has("a", 2) || r.Len("a") != 1 {
			t.Fatalf("member: %t, of %d", r.Has("a", 2), r.Len("a"))
		}
		r.Leave("a", 2)
	}
	if n := r.RoomCount(); n != 0 {
		t.Errorf("%d rooms are left", n)
	}
}
