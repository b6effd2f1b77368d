package hub_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// TestTargets checks who gets what, each exactly once.
func TestTargets(t *testing.T) { synctest.Test(t, testTargets) }

func testTargets(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing})
	peers := map[string]*session{
		"ann1": connectAs(t, h, "ann"), "ann2": connectAs(t, h, "ann"), "bob": connectAs(t, h, "bob"), "nobody": connect(t, h),
	}
	for name, rooms := range map[string][]string{"ann1": {"x", "y"}, "ann2": {"x"}, "bob": {"y"}} {
		for _, room := range rooms {
			must(t, peers[name].handle.Join(room))
		}
	}
	ann1, bob := peers["ann1"].handle, peers["bob"].handle
	for _, row := range []struct {
		name string
		to   hub.Target
		gets []string
	}{
		{"a room", h.To("x"), []string{"ann1", "ann2"}},
		{"two rooms", h.To("x", "y"), []string{"ann1", "ann2", "bob"}},
		{"the same room twice", h.To("x", "x"), []string{"ann1", "ann2"}},
		{"no room", h.To(), nil},
		{"an empty room", h.To("z"), nil},
		{"all", h.All(), []string{"ann1", "ann2", "bob", "nobody"}},
		{"a user", h.User("ann"), []string{"ann1", "ann2"}},
		{"an unknown user", h.User("eve"), nil},
		{"nobody's subject", h.User(""), nil},
		{"a room and its name as user", h.User("x"), nil},
		{"except one", h.All().Except(bob), []string{"ann1", "ann2", "nobody"}},
		{"except two", h.All().Except(bob).Except(ann1), []string{"ann2", "nobody"}},
		{"where", h.All().Where(func(c *hub.Conn) bool { return c.In("y") }), []string{"ann1", "bob"}},
		{"where in two rooms", h.To("x", "y").Where(func(c *hub.Conn) bool { return c.In("y") }), []string{"ann1", "bob"}},
		{"where twice", h.All().Where(func(c *hub.Conn) bool { return len(c.Rooms()) > 0 }).Where(isAnn), []string{"ann1", "ann2"}},
		{"where, except one", h.User("ann").Where(isAnn).Except(ann1), []string{"ann2"}},
		{"where nobody is", h.All().Where(func(*hub.Conn) bool { return false }), nil},
		{"one", bob.Target(), []string{"bob"}},
		{"one where it is not", bob.Target().Where(isAnn), nil},
		{"one except itself", bob.Target().Except(bob), nil},
		{"a member's room", ann1.To("x"), []string{"ann1", "ann2"}},
		{"a member's room except itself", ann1.To("x").Except(ann1), []string{"ann2"}},
	} {
		synctest.Wait() // the last mark is counted
		before := h.Stats().MessagesOut
		must(t, row.to.SendText(row.name))
		synctest.Wait()
		want(t, row.name+": counted", h.Stats().MessagesOut-before, uint64(len(row.gets)))
		must(t, h.All().SendBinary(nil)) // a mark behind it
		for name, s := range peers {
			if slices.Contains(row.gets, name) {
				want(t, row.name+" to "+name, s.ReadText(), row.name)
			}
			if m, err := s.Read(); err != nil || m.Type != ws.Binary {
				t.Errorf("%s to %s: got %q, %v", row.name, name, m.Data, err)
			}
		}
	}
	if err := bob.To("x").SendText("x"); !errors.Is(err, hub.ErrNotMember) {
		t.Errorf("from outside the room: got %v, want ErrNotMember", err)
	}
	if err := bob.To("x").Close(ws.StatusKicked, ""); !errors.Is(err, hub.ErrNotMember) {
		t.Errorf("closing from outside the room: got %v, want ErrNotMember", err)
	}
	if err := h.To("x").SendJSON(func() {}); err == nil {
		t.Error("a function as JSON: no error")
	}
	must(t, h.To("y").SendJSON(map[string]int{"n": 1}))
	want(t, "JSON", peers["bob"].ReadText(), `{"n":1}`)
}

func isAnn(c *hub.Conn) bool { return c.Subject() == "ann" }

// TestExceptDoesNotChangeTheTarget derives two targets from one.
func TestExceptDoesNotChangeTheTarget(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing})
	a, b, c := connect(t, h), connect(t, h), connect(t, h)
	x := a.handle
	base := h.All().Except(x, x, x, x, x) // so many that the list has room for more
	withoutB, withoutC := base.Except(b.handle), base.Except(c.handle)
	must(t, withoutB.SendText("to c"))
	must(t, withoutC.SendText("to b"))
	want(t, "message", b.ReadText(), "to b")
	want(t, "message", c.ReadText(), "to c")
}

func TestFindAndKick(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing})
	ann, bob := connectAs(t, h, "ann"), connectAs(t, h, "bob")
	if c, ok := h.Conn(ann.handle.ID()); !ok || c != ann.handle {
		t.Error("the hub does not find the connection by its id")
	}
	if _, ok := h.Conn("x"); ok {
		t.Error("the hub finds a connection that there is not")
	}
	want(t, "connections", len(slices.Collect(h.Conns())), 2)
	if err := h.All().Close(1006, ""); !errors.Is(err, hub.ErrStatus) {
		t.Errorf("Close(1006): got %v, want ErrStatus", err)
	}
	want(t, "state", ann.handle.State(), hub.StateOpen)

	must(t, h.User("ann").Close(ws.StatusKicked, "out"))
	want(t, "close frame", ann.ReadClose(), ws.CloseError{Status: ws.StatusKicked, Reason: "out"})
	ann.gone()
	want(t, "connections", h.Len(), 1)
	must(t, h.All().Except(bob.handle).Close(ws.StatusKicked, ""))
	want(t, "state of the other", bob.handle.State(), hub.StateOpen)
}

func TestTargetsOfAClosingHub(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing})
	must(t, h.Shutdown(context.Background()))
	for name, err := range map[string]error{
		"Send": h.All().SendText("x"), "Close": h.All().Close(ws.StatusKicked, ""),
	} {
		if !errors.Is(err, hub.ErrDraining) {
			t.Errorf("%s: got %v, want ErrDraining", name, err)
		}
	}
}

// TestSlowConsumer has one peer never read: it is cut with 4006 in bounded time and memory, and the others get
// everything.
func TestSlowConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, size = 64 << 10, 1 << 10
		var cause list[error]
		h := newHub(t, hub.Config{
			OnMessage: nothing, OutboxBytes: limit,
			OnClose: func(_ *hub.Conn, err error) { cause.add(err) },
		})
		slow := connect(t, h)
		received := make(chan int, 1)
		other := connect(t, h)
		const n = 6000
		go func() {
			got := 0
			for ; got < n; got++ {
				if _, err := other.Read(); err != nil {
					t.Errorf("the other: %v", err)
					break
				}
			}
			received <- got
		}()
		start := time.Now()
		for range n {
			must(t, h.All().SendBinary(make([]byte, size)))
			if _, bytes := slow.handle.Buffered(); bytes > 4<<20 {
				t.Fatalf("%d bytes wait in an outbox of %d", bytes, limit)
			}
		}
		want(t, "received by the other", <-received, n)
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("the slow one delayed the others by %v", took)
		}
		synctest.Wait()
		want(t, "state of the slow one", slow.handle.State(), hub.StateClosing)
		<-slow.handle.Done()
		want(t, "time until it was gone", time.Since(start) <= 5*time.Second+100*time.Millisecond, true)
		want(t, "cause", ws.StatusOf(cause.all()[0]), ws.StatusSlowConsumer)
		if stats := h.Stats(); stats.Unsent == 0 {
			t.Errorf("nothing counted as unsent: %+v", stats)
		}
		if err := slow.handle.SendText("x"); !errors.Is(err, hub.ErrClosed) {
			t.Errorf("Send: got %v, want ErrClosed", err)
		}
	})
}

// TestSendToASlowConsumer gets the error that says so.
func TestSendToASlowConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing, OutboxMessages: 3})
		s := connect(t, h)
		for range 3 {
			must(t, s.handle.SendText("x"))
		}
		start := time.Now()
		if err := s.handle.SendText("x"); !errors.Is(err, hub.ErrSlowConsumer) {
			t.Errorf("got %v, want ErrSlowConsumer", err)
		}
		want(t, "time that Send took", time.Since(start), 50*time.Millisecond)
		want(t, "close frame", s.ReadClose().Status, ws.StatusSlowConsumer)
	})
}

// TestWriteDeadline cuts a peer that takes nothing for 10 s, though nothing more is sent to it.
func TestWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing})
		s := connect(t, h)
		start := time.Now()
		must(t, s.handle.SendText("x"))
		<-s.handle.Done()
		want(t, "time until it was cut", time.Since(start), 10*time.Second)
		<-s.over
		want(t, "cause", ws.StatusOf(s.err), ws.StatusSlowConsumer)
	})
}
