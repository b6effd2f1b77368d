package rooms_test

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/fiberwsx/wsx/rooms"
)

// room is a key of the size of two strings, member a pointer, as a hub would have them.
type room struct{ kind, name string }

type member struct{ _ int }

func BenchmarkJoinLeave(b *testing.B) {
	for name, others := range map[string]int{"Room1": 0, "Room8": 7, "Room10000": 9_999} {
		b.Run(name, func(b *testing.B) {
			r, m := filled(others), new(member)
			b.ReportAllocs()
			for b.Loop() {
				r.Join(room{name: "a"}, m)
				r.Leave(room{name: "a"}, m)
			}
		})
	}
}

// All processors, each in a room of its own.
func BenchmarkJoinLeaveParallel(b *testing.B) {
	r := rooms.New[int, int](rooms.Config{})
	var next atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		own := int(next.Add(1))
		for pb.Next() {
			r.Join(own, own)
			r.Leave(own, own)
		}
	})
}

// A member of ten rooms goes.
func BenchmarkLeaveAll(b *testing.B) {
	r := rooms.New[int, int](rooms.Config{})
	b.ReportAllocs()
	for b.Loop() {
		for k := range 10 {
			r.Join(k, 1)
		}
		r.LeaveAll(1)
	}
}

func BenchmarkHas(b *testing.B) {
	r, m := filled(9_999), new(member)
	r.Join(room{name: "a"}, m)
	for b.Loop() {
		r.Has(room{name: "a"}, m)
	}
}

func BenchmarkEach1000(b *testing.B) {
	r, n := filled(1000), 0
	b.ReportAllocs()
	for b.Loop() {
		r.Each(room{name: "a"}, func(*member) bool { n++; return true })
	}
}

func BenchmarkMembers1000(b *testing.B) {
	r, n := filled(1000), 0
	yield := func(*member) bool { n++; return true }
	b.ReportAllocs()
	for b.Loop() {
		r.Members(room{name: "a"})(yield)
	}
}

// A room of a thousand that one joins and leaves between two walks.
func BenchmarkMembersAfterAChange(b *testing.B) {
	r, m, n := filled(1000), new(member), 0
	yield := func(*member) bool { n++; return true }
	b.ReportAllocs()
	for b.Loop() {
		r.Join(room{name: "a"}, m)
		r.Members(room{name: "a"})(yield)
		r.Leave(room{name: "a"}, m)
	}
}

// BenchmarkMemory reports what a membership costs beside the member and the room's name.
func BenchmarkMemory(b *testing.B) {
	const members = 100_000
	names := make([]string, members)
	for i := range names {
		names[i] = string(rune('a' + i))
	}
	for name, in := range map[string]func(r *rooms.Registry[room, *member], i int, m *member){
		"OneRoom":  func(r *rooms.Registry[room, *member], _ int, m *member) { r.Join(room{name: "a"}, m) },
		"OwnRooms": func(r *rooms.Registry[room, *member], i int, m *member) { r.Join(room{name: names[i]}, m) },
		"RoomsOf10": func(r *rooms.Registry[room, *member], i int, m *member) {
			r.Join(room{name: names[i/10]}, m)
		},
		"FiveRoomsOf100": func(r *rooms.Registry[room, *member], i int, m *member) {
			for k := range 5 {
				r.Join(room{kind: names[k], name: names[i/100]}, m)
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			all := make([]*member, members)
			for i := range all {
				all[i] = new(member)
			}
			for b.Loop() {
				before := heap()
				r := rooms.New[room, *member](rooms.Config{})
				for i, m := range all {
					in(r, i, m)
				}
				for k := range r.Rooms() {
					r.Snapshot(k) // what a broadcast needs counts too
				}
				b.ReportMetric(float64(heap()-before)/members, "B/member")
				runtime.KeepAlive(r)
			}
		})
	}
}

func filled(members int) *rooms.Registry[room, *member] {
	r := rooms.New[room, *member](rooms.Config{})
	for range members {
		r.Join(room{name: "a"}, new(member))
	}
	return r
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
