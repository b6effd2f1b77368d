package main

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

const (
	settle = 100 * time.Millisecond // changes of who is here are told together
	banned = 10 * time.Minute       // how long nobody can have the name of somebody who was kicked
)

// handle registers what clients may send. Everything that is shown as somebody's is under the name of the token.
func (s *server) handle() {
	hub.Reply(s.hub, "join", s.join)
	hub.On(s.hub, "leave", s.leave)
	hub.Reply(s.hub, "say", s.say)
	hub.On(s.hub, "typing", s.typing)
	hub.Reply(s.hub, "private", s.private)
	hub.Reply(s.hub, "kick", s.kick)
	hub.Reply(s.hub, "alive", func(*hub.Conn, struct{}) (struct{}, error) { return struct{}{}, nil })
}

// join is answered with what was said last. Messages that are said meanwhile come too, some of them twice: the page
// knows them by their names.
func (s *server) join(c *hub.Conn, p place) (welcome, error) {
	switch err := c.Join(p.Room); {
	case errors.Is(err, hub.ErrRoomFull):
		return welcome{}, errRoomFull
	case err != nil:
		return welcome{}, err // of mayJoin
	}
	r := s.rooms[p.Room]
	s.tell(r)
	return welcome{Room: p.Room, Messages: r.history(), People: s.people(p.Room)}, nil
}

// mayJoin is where rooms for some would be refused to others.
func (s *server) mayJoin(_ *hub.Conn, room string) error {
	if s.rooms[room] == nil {
		return errNoRoom
	}
	return nil
}

func (s *server) leave(c *hub.Conn, p place) error {
	c.Leave(p.Room)
	return nil
}

// left is told of every end of a membership, that of a connection included.
func (s *server) left(_ *hub.Conn, room string) { s.tell(s.rooms[room]) }

func (s *server) say(c *hub.Conn, p post) (receipt, error) {
	if !c.In(p.Room) {
		return receipt{}, errNotMember
	}
	if ok, _ := s.pace.Allow(time.Now(), c.Subject()); !ok {
		return receipt{}, errTooFast
	}
	m, first := s.rooms[p.Room].add(message{Key: p.Key, Room: p.Room, From: c.Subject(), Text: p.Text}, time.Now())
	if !first {
		return receipt{m.At}, nil
	}
	return receipt{m.At}, c.To(p.Room).Emit("said", m)
}

func (s *server) typing(c *hub.Conn, p place) error {
	if !c.In(p.Room) {
		return errNotMember
	}
	return c.To(p.Room).Except(c).Emit("typing", typist{p.Room, c.Subject()})
}

// private reaches every tab of both. It is kept nowhere else.
func (s *server) private(c *hub.Conn, p post) (receipt, error) {
	switch ok, _ := s.pace.Allow(time.Now(), c.Subject()); {
	case p.To == c.Subject():
		return receipt{}, errSelf
	case !ok:
		return receipt{}, errTooFast
	case !s.names.online(p.To):
		return receipt{}, errNobody
	}
	m := message{Key: p.Key, At: time.Now().UnixMicro(), From: c.Subject(), To: p.To, Text: p.Text}
	if err := s.hub.User(p.To).Emit("private", m); err != nil {
		return receipt{}, err
	}
	return receipt{m.At}, s.hub.User(c.Subject()).Emit("private", m)
}

// kick ends every connection of somebody and the token, and keeps the name from coming back for a while. Where a name
// is enough to log in, that person comes back under another one: with a login of your own, ban the account.
func (s *server) kick(c *hub.Conn, p target) (struct{}, error) {
	switch moderator, _ := c.Claims()[claimModerator].(bool); {
	case !moderator:
		return struct{}{}, errForbidden
	case p.Name == c.Subject():
		return struct{}{}, errSelf
	case !s.names.online(p.Name):
		return struct{}{}, errNobody
	}
	now := time.Now()
	s.names.ban(p.Name, now.Add(banned))
	if err := s.hub.User(p.Name).Close(ws.StatusKicked, "kicked by "+c.Subject()); err != nil {
		return struct{}{}, err
	}
	_, err := s.hub.Revoke(hub.Revocation{Subject: p.Name, Until: now.Add(tokenLife)})
	return struct{}{}, err
}

// people returns the names of those in a room, each once, sorted; never nil.
func (s *server) people(room string) []string {
	all := make(map[string]bool)
	for c := range s.hub.Room(room).Members() {
		all[c.Subject()] = true
	}
	names := slices.AppendSeq([]string{}, maps.Keys(all))
	slices.Sort(names)
	return names
}

// settling is how long changes are collected in a room of so many. The list is as long as they are many, and goes to
// all of them, so somebody who comes and goes all the time would cost the square of that.
func settling(members int) time.Duration { return settle + settle*time.Duration(members/50) }

// tell tells a room who is here, once for all that changes in a moment: many come back at once after a restart.
func (s *server) tell(r *room) {
	if !r.change() {
		return
	}
	time.AfterFunc(settling(s.hub.Room(r.name).Len()), func() {
		r.telling.Lock()
		defer r.telling.Unlock()
		r.settled()
		_ = s.hub.To(r.name).Emit("here", presence{r.name, s.people(r.name)}) // fails at the end of the hub alone
	})
}
