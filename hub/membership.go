package hub

import "slices"

// maxRoomName is the longest name of a room in bytes.
const maxRoomName = 1 << 10

// Join makes the connection a member of a room, which exists as long as it has members. Joining again does nothing.
// OnJoin is asked first, where Join is called; its error is returned as it is. Other errors: [ErrRoomFull],
// [ErrTooManyRooms], [ErrRoomName], [ErrClosed].
func (c *Conn) Join(name string) error {
	switch {
	case c.In(name):
		return nil
	case c.closing():
		return ErrClosed
	case len(name) > maxRoomName:
		return ErrRoomName
	}
	if c.hub.cfg.OnJoin != nil {
		if err := c.guard("OnJoin", func() error { return c.hub.cfg.OnJoin(c, name) }); err != nil {
			return err
		}
	}
	err := c.enter(scope{kind: room, name: name})
	c.wire.Kick() // what it was given of the log
	return err
}

// enter joins a scope, unless the connection has left them all. What is sent from now on reaches it.
func (c *Conn) enter(to scope) error {
	s := c.shard
	s.lockMembers(c)
	defer s.unlockMembers()
	if c.left {
		return ErrClosed
	}
	if slices.Contains(c.scopes, to) {
		return nil
	}
	if most := c.hub.cfg.MaxRooms; to.kind == room && most > 0 && countRooms(c.scopes) >= most {
		return ErrTooManyRooms
	}
	if to.kind == room && !c.hub.places.take(to.name) {
		return ErrRoomFull
	}
	s.catchUpLocked(c)
	_, err := s.members.Join(to, c)
	c.scopes = append(c.scopes, to)
	return err
}

// Leave ends the membership. What was sent to the room before is queued for the connection when Leave returns; what is
// sent afterwards does not reach it. False: it was no member.
func (c *Conn) Leave(name string) bool {
	if !c.In(name) { // nobody need wait for that
		return false
	}
	left := c.exit(scope{kind: room, name: name})
	c.wire.Kick() // what it was given of the log, even if somebody else was quicker
	if left {
		c.tellLeft(name)
	}
	return left
}

func (c *Conn) exit(from scope) bool {
	s := c.shard
	s.lockMembers(c)
	defer s.unlockMembers()
	i := slices.Index(c.scopes, from)
	if i < 0 {
		return false
	}
	s.catchUpLocked(c)
	c.scopes = slices.Delete(c.scopes, i, i+1)
	s.members.Leave(from, c)
	c.hub.places.give(from.name)
	return true
}

// In reports whether the connection is a member of the room.
func (c *Conn) In(name string) bool {
	return c.shard.members.Has(scope{kind: room, name: name}, c)
}

// Rooms returns the rooms that the connection is a member of, in the order in which it joined them.
func (c *Conn) Rooms() []string {
	c.shard.mu.Lock()
	defer c.shard.mu.Unlock()
	return roomNames(c.scopes)
}

func countRooms(scopes []scope) (n int) {
	for _, s := range scopes {
		if s.kind == room {
			n++
		}
	}
	return n
}

func roomNames(scopes []scope) []string {
	var names []string
	for _, s := range scopes {
		if s.kind == room {
			names = append(names, s.name)
		}
	}
	return names
}

func (c *Conn) tellLeft(name string) {
	if c.hub.cfg.OnLeave != nil {
		_ = c.guard("OnLeave", func() error {
			c.hub.cfg.OnLeave(c, name)
			return nil
		})
	}
}

// leaveAll ends every membership for good.
func (c *Conn) leaveAll() { c.tellAllLeft(c.exitAll()) }

// exitAll is for a connection that is over, and gets nothing any more.
func (c *Conn) exitAll() (names []string) {
	s := c.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	names = roomNames(c.scopes)
	s.members.LeaveAll(c)
	for _, name := range names { // only now: whoever takes the place would be one too many
		c.hub.places.give(name)
	}
	s.forgetLocked(c)
	c.scopes, c.left = nil, true
	return names
}

// tellAllLeft defers each call, because each may end the goroutine.
func (c *Conn) tellAllLeft(names []string) {
	if len(names) == 0 {
		return
	}
	defer c.tellAllLeft(names[1:])
	c.tellLeft(names[0])
}
