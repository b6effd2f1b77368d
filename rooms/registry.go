package rooms

import (
	"errors"
	"hash/maphash"
	"iter"
	"slices"
	"sync"
)

// ErrFull means that a room has as many members as it may have.
var ErrFull = errors.New("rooms: room full")

// Config bounds the rooms. The zero value is ready to use.
type Config struct {
	// MaxMembers is how many members a room may have. 0 or negative: no limit.
	MaxMembers int
}

// shards is how many parts the directories have, so that they are rarely waited for.
const shards = 32

// Registry knows the members of each room and the rooms of each member. A room without members does not exist and
// costs nothing.
type Registry[K, M comparable] struct {
	max     int
	seed    maphash.Seed
	rooms   [shards]directory[K, *group[M]]
	members [shards]directory[M, []K]
}

// directory is a part of a map with its lock.
type directory[K comparable, V any] struct {
	sync.RWMutex
	m map[K]V
}

// New returns an empty registry.
func New[K, M comparable](cfg Config) *Registry[K, M] {
	r := &Registry[K, M]{max: cfg.MaxMembers, seed: maphash.MakeSeed()}
	for i := range shards {
		r.rooms[i].m = make(map[K]*group[M])
		r.members[i].m = make(map[M][]K)
	}
	return r
}

func (r *Registry[K, M]) roomShard(room K) *directory[K, *group[M]] {
	return &r.rooms[maphash.Comparable(r.seed, room)%shards]
}

func (r *Registry[K, M]) memberShard(m M) *directory[M, []K] {
	return &r.members[maphash.Comparable(r.seed, m)%shards]
}

// Join makes m a member of room; false without an error means that it was one already. The error is [ErrFull].
func (r *Registry[K, M]) Join(room K, m M) (joined bool, err error) {
	for {
		joined, err = r.open(room).join(m, r.max)
		if errors.Is(err, errGone) {
			continue // its last member has just left: there is a new one by now
		}
		break
	}
	if joined {
		s := r.memberShard(m)
		s.Lock()
		s.m[m] = append(s.m[m], room)
		s.Unlock()
	}
	return joined, err
}

// open returns the room's group, made when there is none.
func (r *Registry[K, M]) open(room K) *group[M] {
	if g := r.find(room); g != nil {
		return g
	}
	s := r.roomShard(room)
	s.Lock()
	defer s.Unlock()
	g := s.m[room]
	if g == nil {
		g = &group[M]{index: make(map[M]int)}
		s.m[room] = g
	}
	return g
}

func (r *Registry[K, M]) find(room K) *group[M] {
	s := r.roomShard(room)
	s.RLock()
	defer s.RUnlock()
	return s.m[room]
}

// Leave ends a membership. After it has returned, no [Registry.Each] visits m any more. False: m was no member.
func (r *Registry[K, M]) Leave(room K, m M) (left bool) {
	left = r.leave(room, m)
	if left {
		s := r.memberShard(m)
		s.Lock()
		defer s.Unlock()
		if rest := slices.DeleteFunc(s.m[m], func(k K) bool { return k == room }); len(rest) > 0 {
			s.m[m] = rest
		} else {
			delete(s.m, m)
		}
	}
	return left
}

func (r *Registry[K, M]) leave(room K, m M) bool {
	g := r.find(room)
	if g == nil {
		return false
	}
	left, empty := g.leave(m)
	if empty {
		s := r.roomShard(room)
		s.Lock()
		if s.m[room] == g {
			delete(s.m, room)
		}
		s.Unlock()
	}
	return left
}

// LeaveAll ends every membership of m and returns the rooms it was in. It may join again.
func (r *Registry[K, M]) LeaveAll(m M) []K {
	s := r.memberShard(m)
	s.Lock()
	rooms := s.m[m]
	delete(s.m, m)
	s.Unlock()
	return slices.DeleteFunc(rooms, func(room K) bool { return !r.leave(room, m) })
}

// Each calls yield for every member of room until it returns false, and holds the room meanwhile: nobody joins or
// leaves in between, so a member whose Leave has returned is not visited, and one whose Join begins later neither.
// yield must be quick, must not wait for anything, and must not call Join or Leave. It allocates nothing.
func (r *Registry[K, M]) Each(room K, yield func(M) bool) {
	if g := r.find(room); g != nil {
		g.each(yield)
	}
}

// Members returns the members that room has at the time of the call, in no order. Nothing is held while they are
// visited. It copies the members once after each change.
func (r *Registry[K, M]) Members(room K) iter.Seq[M] {
	if g := r.find(room); g != nil {
		return slices.Values(g.snapshot())
	}
	return func(func(M) bool) {}
}

// Snapshot is [Registry.Members] as a slice, which several callers share: it must not be written to. It allocates
// nothing but the copy.
func (r *Registry[K, M]) Snapshot(room K) []M {
	if g := r.find(room); g != nil {
		return g.snapshot()
	}
	return nil
}

// Len returns how many members room has.
func (r *Registry[K, M]) Len(room K) int {
	if g := r.find(room); g != nil {
		return g.len()
	}
	return 0
}

// Has reports whether m is a member of room.
func (r *Registry[K, M]) Has(room K, m M) bool {
	g := r.find(room)
	return g != nil && g.has(m)
}

// Of returns the rooms of m, in the order in which it joined them.
func (r *Registry[K, M]) Of(m M) []K {
	s := r.memberShard(m)
	s.RLock()
	defer s.RUnlock()
	return slices.Clone(s.m[m])
}

// Rooms returns the rooms that exist, in no order: those at the time of the call, as far as none comes or goes
// meanwhile.
func (r *Registry[K, M]) Rooms() iter.Seq[K] {
	var keys []K
	for i := range shards {
		s := &r.rooms[i]
		s.RLock()
		for k := range s.m {
			keys = append(keys, k)
		}
		s.RUnlock()
	}
	return slices.Values(keys)
}

// RoomCount returns how many rooms exist.
func (r *Registry[K, M]) RoomCount() int {
	n := 0
	for i := range shards {
		s := &r.rooms[i]
		s.RLock()
		n += len(s.m)
		s.RUnlock()
	}
	return n
}
