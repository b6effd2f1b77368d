package hub_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// world is a hub and its model.
type world struct {
	t     *testing.T
	hub   *hub.Hub
	model model
	texts int
}

func newWorld(t *testing.T, cfg hub.Config) *world {
	w := &world{t: t}
	cfg.RoomCapacity, cfg.ErrorBudget, cfg.Rate = places, budget, -1
	cfg.OnMessage = w.handle
	cfg.OnError = func(*hub.Conn, error) {}
	cfg.OnLeave = func(c *hub.Conn, room string) { of(c).left.add(room) }
	cfg.OnClose = func(c *hub.Conn, err error) { of(c).ends.add(ws.StatusOf(err)) }
	w.hub = newHub(t, cfg)
	return w
}

// of returns the member that a connection is.
func of(c *hub.Conn) *member { return c.Local("member").(*member) }

var errOfAHandler = errors.New("no")

// handle does what a peer asks for: a verb and, with some, a room and a text.
func (w *world) handle(c *hub.Conn, m hub.Message) error {
	word := strings.Fields(m.Text())
	switch word[0] {
	case "panic":
		panic("no")
	case "refuse":
		return fmt.Errorf("refused: %w", ws.CloseError{Status: ws.StatusPolicyViolation})
	case "kick":
		_ = c.Close(ws.StatusKicked, "")
		return nil
	case "fail":
		return errOfAHandler
	case "join":
		return c.Join(word[1])
	case "say":
		return c.To(word[1]).SendText(word[2])
	default:
		return c.SendText(word[2])
	}
}

// settle waits until all has happened that has begun.
func (w *world) settle() { synctest.Wait() }

func (w *world) text() string {
	w.texts++
	return fmt.Sprint(w.texts)
}

// pick returns one of the members that came last, which may be over.
func (w *world) pick(r *rapid.T) *member {
	return rapid.SampledFrom(w.model[max(0, len(w.model)-8):]).Draw(r, "member")
}

func room(r *rapid.T) string { return rapid.SampledFrom(modelRooms).Draw(r, "room") }

func (w *world) open(r *rapid.T) {
	x := &member{subject: rapid.SampledFrom([]string{"", "ann", "bob"}).Draw(r, "subject")}
	request := asSubject(x.subject)
	request.Locals = map[string]any{"member": x}
	x.session = connect(w.t, w.hub, request)
	w.model = append(w.model, x)
	go func() {
		for {
			m, err := x.Read()
			switch {
			case err == nil:
				x.got.add(m.Text())
			case !isTimeout(err):
				x.heard.add(ws.StatusOf(err))
				_ = x.Conn().Close()
				return
			}
		}
	}()
}

func (w *world) join(r *rapid.T) {
	w.settle() // whose places are free
	x, room := w.pick(r), room(r)
	if got, want := x.handle.Join(room), w.model.join(x, room); !errors.Is(got, want) {
		r.Fatalf("Join: got %v, want %v", got, want)
	}
}

func (w *world) leave(r *rapid.T) {
	x, room := w.pick(r), room(r)
	if x.end != 0 {
		w.settle()
	}
	if got, want := x.handle.Leave(room), w.model.leave(x, room); got != want {
		r.Fatalf("Leave: got %t, want %t", got, want)
	}
}

func (w *world) kick(r *rapid.T) {
	x, status := w.pick(r), rapid.SampledFrom([]ws.Status{1000, 1008, 4003, 4999}).Draw(r, "status")
	if err := x.handle.Close(status, "out"); (err == nil) != (x.end == 0) {
		r.Fatalf("Close: got %v of one that ended with %d", err, x.end)
	}
	w.model.over(x, status, status)
}

// kickMany closes a target.
func (w *world) kickMany(r *rapid.T) {
	w.settle() // who is still in the room
	kept, room, subject := w.pick(r), room(r), "ann"
	target := w.hub.User(subject)
	kicked := func(x *member) bool { return x.subject == subject }
	if rapid.Bool().Draw(r, "a room") {
		target = w.hub.To(room)
		kicked = func(x *member) bool { return slices.Contains(x.rooms, room) }
	}
	for _, x := range w.model {
		if kicked(x) && x != kept {
			w.model.over(x, ws.StatusReplaced, ws.StatusReplaced)
		}
	}
	must(w.t, target.Except(kept.handle).Close(ws.StatusReplaced, ""))
}

// close has the peer close, or vanish.
func (w *world) close(r *rapid.T) {
	w.settle() // so that the peer has what was sent to it
	x, status := w.pick(r), rapid.SampledFrom([]ws.Status{0, 1000, 1001, 4999, 1006}).Draw(r, "status")
	switch {
	case x.end != 0:
	case status == ws.StatusAbnormalClosure:
		_ = x.Conn().Close()
		w.model.over(x, status, 0)
	case status == 0:
		x.SendClose(status, "")
		w.model.over(x, ws.StatusNoStatusRcvd, ws.StatusNoStatusRcvd)
	default:
		x.SendClose(status, "bye")
		w.model.over(x, status, status)
	}
	w.settle()
}

// command has a peer ask for something, and waits until it is done.
func (w *world) command(r *rapid.T) {
	w.settle()
	x, room, text := w.pick(r), room(r), w.text()
	verb := rapid.SampledFrom([]string{"panic", "refuse", "kick", "fail", "fail", "fail", "join", "say", "echo"}).Draw(r, "verb")
	if x.end != 0 {
		return
	}
	x.SendText(strings.Join([]string{verb, room, text}, " "))
	var err error
	switch verb {
	case "panic":
		err = ws.CloseError{Status: ws.StatusInternalError}
	case "refuse":
		err = ws.CloseError{Status: ws.StatusPolicyViolation}
	case "kick":
		w.model.over(x, ws.StatusKicked, ws.StatusKicked)
	case "fail":
		err = errOfAHandler
	case "join":
		err = w.model.join(x, room)
	case "say":
		if err = hub.ErrNotMember; slices.Contains(x.rooms, room) {
			err = nil
			w.deliverToRooms(text, nil, room)
		}
	case "echo":
		x.due = append(x.due, text)
	}
	w.model.handled(x, err)
	w.settle()
}

func (w *world) deliverToRooms(text string, except []*member, rooms ...string) {
	w.model.deliver(text, except, func(x *member) bool {
		return slices.ContainsFunc(rooms, func(room string) bool { return slices.Contains(x.rooms, room) })
	})
}

func (w *world) send(r *rapid.T) {
	x, text := w.pick(r), w.text()
	if err := x.handle.SendText(text); (err == nil) != (x.end == 0) || err != nil && !errors.Is(err, hub.ErrClosed) {
		r.Fatalf("SendText: got %v of one that ended with %d", err, x.end)
	}
	w.model.deliver(text, nil, func(y *member) bool { return y == x })
}

// sendTo sends to a target that is drawn, without some members.
func (w *world) sendTo(r *rapid.T) {
	except := rapid.SliceOfN(rapid.SampledFrom(w.model), 0, 3).Draw(r, "except")
	conns := make([]*hub.Conn, len(except))
	for i, x := range except {
		conns[i] = x.handle
	}
	text := w.text()
	var target hub.Target
	switch kind := rapid.SampledFrom([]string{"rooms", "rooms", "user", "all", "member"}).Draw(r, "target"); kind {
	case "rooms":
		rooms := rapid.SliceOfN(rapid.SampledFrom(modelRooms), 0, 3).Draw(r, "rooms")
		target = w.hub.To(rooms...)
		w.deliverToRooms(text, except, rooms...)
	case "user":
		subject := rapid.SampledFrom([]string{"ann", "bob", "nobody"}).Draw(r, "subject")
		target = w.hub.User(subject)
		w.model.deliver(text, except, func(x *member) bool { return x.subject == subject })
	case "all":
		target = w.hub.All()
		w.model.deliver(text, except, func(*member) bool { return true })
	default:
		w.settle() // who is still in the room
		x, room := w.pick(r), room(r)
		if !slices.Contains(x.rooms, room) {
			if err := x.handle.To(room).SendText(text); !errors.Is(err, hub.ErrNotMember) {
				r.Fatalf("sending to %s: got %v, want ErrNotMember", room, err)
			}
			return
		}
		target = x.handle.To(room)
		w.deliverToRooms(text, except, room)
	}
	if err := target.Except(conns...).SendText(text); err != nil {
		r.Fatalf("sending to a target: %v", err)
	}
}
