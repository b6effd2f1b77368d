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

// Registry knows the members of each room and the rooms of each member. A room without members does not exist and costs
// nothing. A membership costs some 55 bytes in a large room, 80 in one of ten, and 220 as the only one of its room.
type Registry[K, M comparable] struct {
	max     int
	hash    hash[M]
	rooms   [shards]directory[K, *group[K, M]]
	members [shards]directory[M, joined[K, M]]
}

// directory is a part of a map with its lock.
type directory[K comparable, V any] struct {
	sync.RWMutex
	m map[K]V
}

// New returns an empty registry.
func New[K, M comparable](cfg Config) *Registry[K, M] {
	r := &Registry[K, M]{max: cfg.MaxMembers, hash: hash[M]{maphash.MakeSeed()}}
	for i := range shards {
		r.rooms[i].m = make(map[K]*group[K, M])
		r.members[i].m = make(map[M]joined[K, M])
	}
	return r
}

func (r *Registry[K, M]) roomShard(room K) *directory[K, *group[K, M]] {
	return &r.rooms[maphash.Comparable(r.hash.seed, room)%shards]
}

func (r *Registry[K, M]) memberShard(m M) *directory[M, joined[K, M]] {
	return &r.members[r.hash.of(m)%shards]
}

// Join makes m a member of room; false without an error means that it was one already. The error is [ErrFull].
func (r *Registry[K, M]) Join(room K, m M) (joined bool, err error) {
	var g *group[K, M]
	for {
		g = r.open(room)
		joined, err = g.join(m, r.hash, r.max)
		if !errors.Is(err, errGone) {
			break
		} // else its last member has just left: there is a new one by now, or soon
	}
	if joined {
		s := r.memberShard(m)
		s.Lock()
		s.m[m] = s.m[m].with(g)
		s.Unlock()
	}
	return joined, err
}

// open returns the room's group, made when there is none.
func (r *Registry[K, M]) open(room K) *group[K, M] {
	if g := r.find(room); g != nil {
		return g
	}
	s := r.roomShard(room)
	s.Lock()
	defer s.Unlock()
	g := s.m[room]
	if g == nil {
		g = &group[K, M]{room: room}
		s.m[room] = g
	}
	return g
}

func (r *Registry[K, M]) find(room K) *group[K, M] {
	s := r.roomShard(room)
	s.RLock()
	defer s.RUnlock()
	return s.m[room]
}

// Leave ends a membership. After it has returned, no [Registry.Each] visits m any more. False: m was no member. The
// first one after [Registry.Members] or [Registry.Snapshot] copies the room's members.
func (r *Registry[K, M]) Leave(room K, m M) (left bool) {
	g := r.find(room)
	if g == nil || !r.leave(g, m) {
		return false
	}
	s := r.memberShard(m)
	s.Lock()
	defer s.Unlock()
	if rest, none := s.m[m].without(g); none {
		delete(s.m, m)
	} else {
		s.m[m] = rest
	}
	return true
}

// leave takes m out of the group, and that out of the directory with its last member.
func (r *Registry[K, M]) leave(g *group[K, M], m M) bool {
	left, empty := g.leave(m, r.hash)
	if empty {
		s := r.roomShard(g.room)
		s.Lock()
		if s.m[g.room] == g {
			delete(s.m, g.room)
		}
		s.Unlock()
	}
	return left
}

// LeaveAll ends every membership of m and returns the rooms it was in. It may join again.
func (r *Registry[K, M]) LeaveAll(m M) []K {
	s := r.memberShard(m)
	s.Lock()
	was := s.m[m]
	delete(s.m, m)
	s.Unlock()
	rooms := make([]K, 0, was.len())
	for g := range was.all {
		if r.leave(g, m) {
			rooms = append(rooms, g.room)
		}
	}
	return rooms
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
// visited, and nothing is copied until one of them leaves. It allocates once after each change.
func (r *Registry[K, M]) Members(room K) iter.Seq[M] {
	if g := r.find(room); g != nil {
		return g.members()
	}
	return func(func(M) bool) {}
}

// Snapshot is [Registry.Members] as a slice, which several callers share: it must not be written to. It allocates
// nothing.
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
	return g != nil && g.has(m, r.hash)
}

// Of returns the rooms of m, in the order in which it joined them.
func (r *Registry[K, M]) Of(m M) []K {
	s := r.memberShard(m)
	s.RLock()
	defer s.RUnlock()
	in := s.m[m]
	rooms := make([]K, 0, in.len())
	for g := range in.all {
		rooms = append(rooms, g.room)
	}
	return rooms
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
