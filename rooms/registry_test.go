package rooms_test

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
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
				for other := range r.Members("a") { // while they come and go
					if other < 0 || other > 15 {
						t.Errorf("%d is a member", other)
					}
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

// TestSnapshotsAreNotWrittenTo keeps what Members and Snapshot return over joins and leaves.
func TestSnapshotsAreNotWrittenTo(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	r := rooms.New[string, int](rooms.Config{})
	type kept struct {
		shared []int
		walk   iter.Seq[int]
		want   []int
	}
	var all []kept
	for range 300 {
		if m := rnd.IntN(30); !r.Leave("a", m) {
			r.Join("a", m)
		}
		if rnd.IntN(3) == 0 {
			shared := r.Snapshot("a")
			all = append(all, kept{append(shared, -1), r.Members("a"), slices.Clone(shared)}) // -1 is the caller's own
		}
	}
	for i, k := range all {
		if !slices.Equal(k.shared, append(k.want, -1)) || !slices.Equal(slices.Collect(k.walk), k.want) {
			t.Fatalf("seed %d: snapshot %d was %v, is %v and %v", seed, i, k.want, k.shared, slices.Collect(k.walk))
		}
	}
}

// TestLargeRooms compares rooms that grow and shrink by thousands with a map.
func TestLargeRooms(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	r, model := rooms.New[string, int](rooms.Config{}), make(map[int]bool)
	for _, size := range []int{9, 10, 4000, 3, 2000, 0} {
		for len(model) != size {
			m := rnd.IntN(10_000)
			switch {
			case len(model) < size:
				if joined, _ := r.Join("a", m); joined == model[m] {
					t.Fatalf("seed %d: Join of %d is %v", seed, m, joined)
				}
				model[m] = true
			case r.Leave("a", m) != model[m]:
				t.Fatalf("seed %d: Leave of %d is %v", seed, m, !model[m])
			default:
				delete(model, m)
			}
		}
		for m := range 10_000 {
			if r.Has("a", m) != model[m] {
				t.Fatalf("seed %d, %d members: Has of %d is %v", seed, size, m, !model[m])
			}
		}
		want := slices.Sorted(maps.Keys(model))
		if got := slices.Sorted(r.Members("a")); !slices.Equal(got, want) || r.Len("a") != size {
			t.Fatalf("seed %d: %d members, want %d", seed, len(got), size)
		}
	}
}

// TestMembersThatEqualNothing lets values that do not even equal themselves into a room: they cannot leave it, but the
// others can.
func TestMembersThatEqualNothing(t *testing.T) {
	r := rooms.New[string, float64](rooms.Config{})
	for m := range 100 {
		r.Join("a", float64(m))
		r.Join("a", math.NaN())
	}
	for m := range 100 {
		if !r.Leave("a", float64(m)) {
			t.Fatalf("%d is not there", m)
		}
	}
	if n := r.Len("a"); n != 100 {
		t.Errorf("%d are left", n)
	}
}

// TestOf tells the rooms of a member in the order in which it joined them.
func TestOf(t *testing.T) {
	r := rooms.New[string, int](rooms.Config{})
	var want []string
	for _, k := range []string{"a", "b", "c", "d", "-b", "-a", "a", "-d", "-c", "-a", "e", "f", "-f"} {
		if name, ok := strings.CutPrefix(k, "-"); ok {
			r.Leave(name, 1)
			want = slices.DeleteFunc(want, func(k string) bool { return k == name })
		} else {
			r.Join(k, 1)
			want = append(want, k)
		}
		if got := r.Of(1); !slices.Equal(got, want) {
			t.Errorf("after %s: %v, want %v", k, got, want)
		}
	}
	if got := r.LeaveAll(1); !slices.Equal(got, want) || len(r.Of(1)) != 0 {
		t.Errorf("left %v, want %v", got, want)
	}
}
