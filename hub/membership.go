package hub

import (
	"errors"
	"iter"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/rooms"
)

// Join makes the connection a member of a room, which exists as long as it has members. Joining again does nothing.
// OnJoin is asked first, where Join is called; its error is returned as it is. Other errors: [ErrRoomFull],
// [ErrClosed].
func (c *Conn) Join(name string) error {
	if c.In(name) {
		return nil
	}
	if c.ctx.Err() != nil {
		return ErrClosed
	}
	if c.hub.cfg.OnJoin != nil {
		if err := c.guard("OnJoin", func() error { return c.hub.cfg.OnJoin(c, name) }); err != nil {
			return err
		}
	}
	return c.enter(scope{kind: room, name: name})
}

// enter joins a scope, unless the connection has left them all.
func (c *Conn) enter(s scope) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left {
		return ErrClosed
	}
	epoch := c.hub.epoch.Load()
	joined, err := c.hub.registry(s).Join(s, c)
	if joined && s.kind == room {
		if c.joined == nil {
			c.joined = make(map[string]uint64)
		}
		c.joined[s.name] = epoch
	}
	if errors.Is(err, rooms.ErrFull) {
		return ErrRoomFull
	}
	return err
}

// sendAsMember queues f, which was sent to the scopes at an epoch, as soon as the outbox has room for it, unless the
// connection has left them all since. It reports whether it has queued it.
func (c *Conn) sendAsMember(f wire.Frame, scopes []scope, epoch uint64) bool {
	for {
		ok, err := c.trySendAsMember(f, scopes, epoch)
		if ok || err != nil {
			return ok
		}
		if c.wire.AwaitRoom() != nil {
			return false
		}
	}
}

func (c *Conn) trySendAsMember(f wire.Frame, scopes []scope, epoch uint64) (ok bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range scopes {
		if joined, ok := c.joined[s.name]; s.kind != room || ok && joined < epoch {
			return c.wire.TrySendFrame(f)
		}
	}
	return false, ErrNotMember
}

// Leave ends the membership. What is sent to the room after Leave has returned does not reach the connection. False:
// it was no member.
func (c *Conn) Leave(name string) bool {
	left := c.exit(name)
	if left {
		c.tellLeft(name)
	}
	return left
}

func (c *Conn) exit(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.joined, name)
	return c.hub.rooms.Leave(scope{kind: room, name: name}, c)
}

// In reports whether the connection is a member of the room.
func (c *Conn) In(name string) bool { return c.hub.rooms.Has(scope{kind: room, name: name}, c) }

// Rooms returns the rooms that the connection is a member of, in no order.
func (c *Conn) Rooms() []string {
	var names []string
	for _, s := range c.hub.rooms.Of(c) {
		names = append(names, s.name)
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
func (c *Conn) leaveAll() {
	c.mu.Lock()
	c.left, c.joined = true, nil
	c.mu.Unlock()
	c.hub.groups.LeaveAll(c)
	c.tellAllLeft(c.hub.rooms.LeaveAll(c))
}

// tellAllLeft defers each call, because each may end the goroutine.
func (c *Conn) tellAllLeft(scopes []scope) {
	if len(scopes) == 0 {
		return
	}
	defer c.tellAllLeft(scopes[1:])
	c.tellLeft(scopes[0].name)
}

// Room is a room of a hub, whether it has members or not.
type Room struct {
	hub  *Hub
	name string
}

// Room returns the room of that name.
func (h *Hub) Room(name string) Room { return Room{hub: h, name: name} }

// Name returns the name of the room.
func (r Room) Name() string { return r.name }

// Len returns how many members the room has.
func (r Room) Len() int { return r.hub.rooms.Len(scope{kind: room, name: r.name}) }

// Members returns the members that the room has at the time of the call.
func (r Room) Members() iter.Seq[*Conn] {
	return r.hub.rooms.Members(scope{kind: room, name: r.name})
}
