package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// places is how many members a room has at most in the model, and budget how many errors a handler may return in a row.
const places, budget = 2, 2

var modelRooms = []string{"a", "b", "c"}

// member is one connection: what the model says of it, and what came of it.
type member struct {
	*session

	subject  string
	rooms    []string
	failures int       // of its handler, in a row
	due      []string  // messages that it must get, in order
	leaves   []string  // rooms that OnLeave must hear of, in order
	end      ws.Status // that OnClose must get; 0 while it is open
	told     ws.Status // that the peer must get; 0: no close frame

	got, left   list[string]
	ends, heard list[ws.Status]
}

// model is the truth about a hub, as far as one goroutine decides it.
type model []*member

func (m model) deliver(text string, except []*member, reaches func(*member) bool) {
	for _, x := range m {
		if x.end == 0 && reaches(x) && !slices.Contains(except, x) {
			x.due = append(x.due, text)
		}
	}
}

func (m model) in(room string) (in []*member) {
	for _, x := range m {
		if slices.Contains(x.rooms, room) {
			in = append(in, x)
		}
	}
	return in
}

func (m model) join(x *member, room string) error {
	switch {
	case slices.Contains(x.rooms, room):
		return nil
	case x.end != 0:
		return hub.ErrClosed
	case len(m.in(room)) == places:
		return hub.ErrRoomFull
	}
	x.rooms = append(x.rooms, room)
	return nil
}

func (m model) leave(x *member, room string) bool {
	i := slices.Index(x.rooms, room)
	if i < 0 {
		return false
	}
	x.rooms = slices.Delete(x.rooms, i, i+1)
	x.leaves = append(x.leaves, room)
	return true
}

func (m model) over(x *member, end, told ws.Status) {
	if x.end == 0 {
		x.end, x.told = end, told
		x.leaves = append(x.leaves, x.rooms...)
		x.rooms = nil
	}
}

// handled takes what a handler returned.
func (m model) handled(x *member, err error) {
	if x.failures++; err == nil {
		x.failures = 0
	}
	switch status := ws.StatusOf(err); {
	case errors.Is(err, hub.ErrRoomFull):
		m.over(x, ws.StatusRoomFull, ws.StatusRoomFull)
	case status != 0:
		m.over(x, status, status)
	case x.failures == budget:
		m.over(x, ws.StatusInternalError, ws.StatusInternalError)
	}
}

// check compares the hub with the model.
func (w *world) check(r *rapid.T) {
	w.settle()
	open := 0
	for i, x := range w.model {
		if x.end == 0 {
			open++
		}
		if err := x.check(); err != nil {
			r.Fatalf("connection %d: %v", i, err)
		}
	}
	if n := w.hub.Len(); n != open {
		r.Fatalf("Len is %d, want %d", n, open)
	}
	for _, room := range modelRooms {
		in := w.model.in(room)
		n := 0
		for c := range w.hub.Room(room).Members() {
			if n++; !slices.Contains(in, of(c)) {
				r.Fatalf("a connection is in %s that should not be", room)
			}
		}
		if n != len(in) || w.hub.Room(room).Len() != n {
			r.Fatalf("%d are in %s and its Len is %d, want %d", n, room, w.hub.Room(room).Len(), len(in))
		}
	}
}

// check compares a connection with what the model says of it.
func (x *member) check() error {
	var ends, heard []ws.Status
	state := hub.StateOpen
	if x.end != 0 {
		ends, heard, state = []ws.Status{x.end}, []ws.Status{x.told}, hub.StateClosed
	}
	switch {
	case !slices.Equal(x.got.all(), x.due):
		return fmt.Errorf("its peer got %q, want %q", x.got.all(), x.due)
	case !slices.Equal(x.handle.Rooms(), x.rooms):
		return fmt.Errorf("its rooms are %q, want %q", x.handle.Rooms(), x.rooms)
	case !slices.Equal(x.left.all(), x.leaves):
		return fmt.Errorf("it has left %q, want %q", x.left.all(), x.leaves)
	case !slices.Equal(x.ends.all(), ends):
		return fmt.Errorf("OnClose got %v, want %v", x.ends.all(), ends)
	case !slices.Equal(x.heard.all(), heard):
		return fmt.Errorf("its peer was told %v, want %v", x.heard.all(), heard)
	case x.handle.State() != state:
		return fmt.Errorf("it is %s, want %s", x.handle.State(), state)
	}
	return nil
}

// TestModel does at random what can be done to a hub, and compares it with the model. Sends are not waited for, so that
// memberships and ends come in between.
func TestModel(t *testing.T) {
	for name, cfg := range map[string]hub.Config{
		"as it comes": {}, "small outboxes": {OutboxMessages: 1, OutboxBytes: 1}, "copies": {Immutable: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inTheBubble := struct{ rapid.TB }{t} // where T.Deadline may not be asked for
				for range 3 {                        // of a hundred runs each
					rapid.Check(inTheBubble, func(r *rapid.T) { testModel(t, r, cfg) })
				}
			})
		})
	}
}

func testModel(t *testing.T, r *rapid.T, cfg hub.Config) {
	w := newWorld(t, cfg)
	for range 3 {
		w.open(r)
	}
	actions := map[string]func(*rapid.T){
		"open": w.open, "join": w.join, "join too": w.join, "join as well": w.join, "leave": w.leave, "kick": w.kick, "kick many": w.kickMany,
		"close": w.close, "command": w.command, "send": w.send, "send to": w.sendTo, "send to more": w.sendTo, "check": w.check,
	}
	r.Repeat(actions) // thirty or so
	r.Repeat(actions)
	w.check(r)
	for _, x := range w.model {
		w.model.over(x, ws.StatusGoingAway, ws.StatusGoingAway)
	}
	if err := w.hub.Shutdown(context.Background()); err != nil {
		r.Fatalf("Shutdown: %v", err)
	}
	w.check(r)
}
