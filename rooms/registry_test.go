package rooms_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/fiberwsx/wsx/rooms"
)

func ExampleRegistry() {
	r := rooms.New[string, string](rooms.Config{MaxMembers: 2})
	for _, name := range []string{"ada", "bob", "eve"} {
		if _, err := r.Join("lobby", name); err != nil {
			fmt.Println(name, err)
		}
	}
	fmt.Println(slices.Sorted(r.Members("lobby")))
	// Output:
	// eve rooms: room full
	// [ada bob]
}

func TestMembership(t *testing.T) {
	r := rooms.New[string, int](rooms.Config{})
	if joined, err := r.Join("a", 1); !joined || err != nil {
		t.Errorf("first Join: %v, %v", joined, err)
	}
	if joined, err := r.Join("a", 1); joined || err != nil {
		t.Errorf("second Join: %v, %v", joined, err)
	}
	if r.Leave("a", 2) || r.Leave("b", 1) {
		t.Error("Leave of no member reports one")
	}
	if !r.Leave("a", 1) || r.RoomCount() != 0 || len(r.Of(1)) != 0 {
		t.Error("an empty room is still there")
	}
	if joined, _ := r.Join("a", 1); !joined {
		t.Error("cannot join again")
	}
}

// TestModel compares random calls with a map of maps.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(0, 3).Draw(t, "limit")
		r := rooms.New[string, int](rooms.Config{MaxMembers: limit})
		model := make(map[string]map[int]bool)
		room := rapid.SampledFrom([]string{"a", "b", "c"})
		member := rapid.IntRange(0, 4)
		t.Repeat(map[string]func(*rapid.T){
			"join": func(t *rapid.T) {
				k, m := room.Draw(t, "room"), member.Draw(t, "member")
				full := !model[k][m] && limit > 0 && len(model[k]) >= limit
				joined, err := r.Join(k, m)
				if errors.Is(err, rooms.ErrFull) != full || joined != (!full && !model[k][m]) {
					t.Fatalf("Join: %v, %v; full is %v", joined, err, full)
				}
				if joined {
					if model[k] == nil {
						model[k] = make(map[int]bool)
					}
					model[k][m] = true
				}
			},
			"leave": func(t *rapid.T) {
				k, m := room.Draw(t, "room"), member.Draw(t, "member")
				if left := r.Leave(k, m); left != model[k][m] {
					t.Fatalf("Leave: %v", left)
				}
				drop(model, k, m)
			},
			"leave all": func(t *rapid.T) {
				m := member.Draw(t, "member")
				left := r.LeaveAll(m)
				for k := range maps.Clone(model) {
					if model[k][m] != slices.Contains(left, k) {
						t.Fatalf("LeaveAll: %v", left)
					}
					drop(model, k, m)
				}
			},
			"": func(t *rapid.T) { compare(t, r, model) },
		})
	})
}

func drop(model map[string]map[int]bool, k string, m int) {
	delete(model[k], m)
	if len(model[k]) == 0 {
		delete(model, k)
	}
}

func compare(t *rapid.T, r *rooms.Registry[string, int], model map[string]map[int]bool) {
	if got, want := slices.Sorted(r.Rooms()), slices.Sorted(maps.Keys(model)); !slices.Equal(got, want) {
		t.Fatalf("rooms %v, want %v", got, want)
	}
	if r.RoomCount() != len(model) {
		t.Fatalf("%d rooms, want %d", r.RoomCount(), len(model))
	}
	for k, members := range model {
		var visited []int
		r.Each(k, func(m int) bool { visited = append(visited, m); return true })
		slices.Sort(visited)
		want := slices.Sorted(maps.Keys(members))
		if got := slices.Sorted(r.Members(k)); !slices.Equal(got, want) || !slices.Equal(visited, want) || r.Len(k) != len(want) {
			t.Fatalf("members %v, visited %v, want %v", got, visited, want)
		}
		for m := range 5 {
			if r.Has(k, m) != members[m] || slices.Contains(r.Of(m), k) != members[m] {
				t.Fatalf("member %d: Has %v, Of %v", m, r.Has(k, m), r.Of(m))
			}
		}
	}
}

func TestCapacityHoldsUnderRaces(t *testing.T) {
	const limit = 7
	r := rooms.New[string, int](rooms.Config{MaxMembers: limit})
	var most atomic.Int64
	var wg sync.WaitGroup
	for m := range 16 {
		wg.Go(func() {
			for range 500 {
				_, err := r.Join("a", m)
				for n := int64(r.Len("a")); n > most.Load(); {
					most.Store(n)
				}
				if err == nil {
					r.Leave("a", m)
				}
			}
		})
	}
	wg.Wait()
	if most.Load() > limit || r.RoomCount() != 0 {
		t.Errorf("%d members at once, %d rooms left", most.Load(), r.RoomCount())
	}
}

// TestEachNeverVisitsWhoHasLeft has a member leave while others are told: after Leave it must not be visited.
func TestEachNeverVisitsWhoHasLeft(t *testing.T) {
	r := rooms.New[string, int](rooms.Config{})
	r.Join("a", 0) // keeps the room
	var in atomic.Bool
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r.Each("a", func(m int) bool {
					if m == 1 && !in.Load() {
						t.Error("visited a member that had left")
					}
					return true
				})
			}
		})
	}
	for range 2000 {
		in.Store(true)
		r.Join("a", 1)
		r.Leave("a", 1)
		in.Store(false)
	}
	close(stop)
	wg.Wait()
}

func TestHotCallsDoNotAllocate(t *testing.T) {
	r := rooms.New[string, int](rooms.Config{})
	for m := range 1000 {
		r.Join("a", m)
	}
	sum := 0
	yield := func(m int) bool { sum += m; return true }
	if n := testing.AllocsPerRun(100, func() { r.Each("a", yield) }); n != 0 {
		t.Errorf("Each allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { r.Has("a", 7); r.Len("a") }); n != 0 {
		t.Errorf("Has and Len allocate %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		for m := range r.Members("a") {
			sum += m
		}
	}); n > 3 { // the sequence, not the members
		t.Errorf("Members allocates %v times", n)
	}
}

func BenchmarkEach5000(b *testing.B) {
	r := rooms.New[string, int](rooms.Config{})
	for m := range 5000 {
		r.Join("a", m)
	}
	sum := 0
	for b.Loop() {
		r.Each("a", func(m int) bool { sum += m; return true })
	}
}

func BenchmarkJoinLeave(b *testing.B) {
	r := rooms.New[int, int](rooms.Config{})
	b.RunParallel(func(pb *testing.PB) {
		m := 0
		for pb.Next() {
			m++
			r.Join(m%100, m)
			r.Leave(m%100, m)
		}
	})
}
