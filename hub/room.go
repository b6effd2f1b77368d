package hub

import (
	"iter"
	"sync"
)

// Room is a room of a hub, whether it has members or not.
type Room struct {
	hub *Hub
	as  scope
}

// Room returns the room of that name.
func (h *Hub) Room(name string) Room { return Room{hub: h, as: scope{kind: room, name: name}} }

// Name returns the name of the room.
func (r Room) Name() string { return r.as.name }

// Len returns how many members the room has. Where Config.RoomCapacity limits them it is never more than that; without
// a limit somebody who leaves while others join may be counted beside them.
func (r Room) Len() int {
	if n, counted := r.hub.places.count(r.as.name); counted {
		return n
	}
	n := 0
	for _, s := range r.hub.shards {
		n += s.members.Len(r.as)
	}
	return n
}

// Members returns the members that the room has at the time of the call.
func (r Room) Members() iter.Seq[*Conn] { return r.hub.members(r.as) }

// members returns who is in a scope at the time of the call.
func (h *Hub) members(of scope) iter.Seq[*Conn] {
	parts := make([]iter.Seq[*Conn], len(h.shards))
	for i, s := range h.shards {
		parts[i] = s.members.Members(of)
	}
	return func(yield func(*Conn) bool) {
		for _, part := range parts {
			for c := range part {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// places counts the members of rooms over all shards, where their number is limited.
type places struct {
	most int // 0 or negative: no limit

	mu    sync.Mutex
	taken map[string]int
}

// take takes a place. False: there is none.
func (p *places) take(name string) bool {
	if p.most <= 0 {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[name] >= p.most {
		return false
	}
	p.taken[name]++
	return true
}

// count returns how many places are taken. False: nobody counts them.
func (p *places) count(name string) (n int, counted bool) {
	if p.most <= 0 {
		return 0, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken[name], true
}

func (p *places) give(name string) {
	if p.most <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[name]--; p.taken[name] == 0 {
		delete(p.taken, name)
	}
}
