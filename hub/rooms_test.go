package hub_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

func TestJoinAndLeave(t *testing.T) {
	var events list[string]
	h := newHub(t, hub.Config{
		OnMessage: nothing,
		OnJoin:    func(_ *hub.Conn, room string) error { events.add("join " + room); return nil },
		OnLeave:   func(_ *hub.Conn, room string) { events.add("leave " + room) },
		OnClose:   func(*hub.Conn, error) { events.add("close") },
	})
	a, b := connect(t, h), connect(t, h)
	must(t, a.handle.Join("x"))
	must(t, a.handle.Join("x")) // does nothing
	must(t, b.handle.Join("x"))
	must(t, b.handle.Join("y"))
	want(t, "size", h.Room("x").Len(), 2)
	want(t, "name", h.Room("x").Name(), "x")
	want(t, "In", a.handle.In("x"), true)
	want(t, "In", a.handle.In("y"), false)
	rooms := b.handle.Rooms()
	slices.Sort(rooms)
	want(t, "rooms", fmt.Sprint(rooms), "[x y]")
	members := slices.Collect(h.Room("x").Members())
	if len(members) != 2 || !slices.Contains(members, a.handle) || !slices.Contains(members, b.handle) {
		t.Errorf("members: %v", members)
	}
	want(t, "Leave", a.handle.Leave("x"), true)
	want(t, "Leave again", a.handle.Leave("x"), false)
	want(t, "size", h.Room("x").Len(), 1)
	want(t, "events", fmt.Sprint(events.all()), "[join x join x join y leave x]")

	b.Client.Close()
	b.gone()
	got := events.all()[4:]
	slices.Sort(got[:2])
	want(t, "events of the end", fmt.Sprint(got), "[leave x leave y close]")
	want(t, "size", h.Room("x").Len()+h.Room("y").Len(), 0)
	if slices.Collect(h.Room("x").Members()) != nil {
		t.Error("an empty room has members")
	}
}

func TestOnJoinRefuses(t *testing.T) {
	refused := ws.CloseError{Status: ws.StatusPolicyViolation, Reason: "not your room"}
	h := newHub(t, hub.Config{
		OnMessage: func(c *hub.Conn, m hub.Message) error { return c.Join(m.Text()) },
		OnJoin: func(_ *hub.Conn, room string) error {
			if room == "private" {
				return refused
			}
			return nil
		},
	})
	s := connect(t, h)
	if err := s.handle.Join("private"); !errors.Is(err, refused) {
		t.Errorf("Join: got %v, want OnJoin's error", err)
	}
	want(t, "members", h.Room("private").Len(), 0)
	want(t, "state", s.handle.State(), hub.StateOpen)
	s.SendText("public")
	s.SendText("private")
	want(t, "close frame", s.ReadClose(), refused)
}

// TestJoinDuringTheEnd has the connection end while OnJoin is asked: no dead member stays behind.
func TestJoinDuringTheEnd(t *testing.T) {
	asked := make(chan struct{})
	h := newHub(t, hub.Config{OnMessage: nothing, OnJoin: func(c *hub.Conn, _ string) error {
		close(asked)
		<-c.Done()
		return nil
	}})
	s := connect(t, h)
	joined := make(chan error, 1)
	go func() { joined <- s.handle.Join("room") }()
	await(t, asked, "OnJoin")
	s.Client.Close()
	if err := await(t, joined, "Join"); !errors.Is(err, hub.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	want(t, "members", h.Room("room").Len(), 0)
}

func TestRoomCapacity(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing, RoomCapacity: 2})
	a, b, c := connect(t, h).handle, connect(t, h).handle, connect(t, h).handle
	must(t, a.Join("x"))
	must(t, b.Join("x"))
	must(t, b.Join("x")) // is in it
	if err := c.Join("x"); !errors.Is(err, hub.ErrRoomFull) {
		t.Errorf("third member: got %v, want ErrRoomFull", err)
	}
	want(t, "In", c.In("x"), false)
	must(t, c.Join("y"))
	a.Leave("x")
	must(t, c.Join("x"))
	want(t, "size", h.Room("x").Len(), 2)
	want(t, "connections", h.Len(), 3) // the capacity is the rooms' alone
}

// TestRoomsOfOneConnection: a client that names rooms one after the other finds an end.
func TestRoomsOfOneConnection(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing, MaxRooms: 2})
	c := connectAs(t, h, "ann").handle
	must(t, c.Join("x"))
	must(t, c.Join(strings.Repeat("y", 1024)))
	want(t, "a room too many", c.Join("z"), hub.ErrTooManyRooms)
	must(t, c.Join("x")) // is in it
	c.Leave("x")
	want(t, "a long name", c.Join(strings.Repeat("z", 1025)), hub.ErrRoomName)
	must(t, c.Join("z"))
	want(t, "rooms", len(c.Rooms()), 2)

	byDefault := connect(t, newHub(t, hub.Config{OnMessage: nothing})).handle
	for i := range 1000 {
		must(t, byDefault.Join(strconv.Itoa(i)))
	}
	want(t, "more than by default", byDefault.Join("z"), hub.ErrTooManyRooms)
	without := connect(t, newHub(t, hub.Config{OnMessage: nothing, MaxRooms: -1})).handle
	for i := range 1500 {
		must(t, without.Join(strconv.Itoa(i)))
	}
}

// TestRoomsUnderChurn joins and leaves from everywhere and checks that the capacity holds at every moment and that the
// counts are exact at the end.
func TestRoomsUnderChurn(t *testing.T) {
	const capacity = 5
	h := newHub(t, hub.Config{OnMessage: nothing, RoomCapacity: capacity})
	rooms := []string{"a", "b", "c"}
	var wg sync.WaitGroup
	var sessions []*session
	for i := range 12 {
		s := connect(t, h)
		sessions = append(sessions, s)
		wg.Go(func() {
			for n := range 300 {
				room := rooms[(n+i)%len(rooms)]
				err := s.handle.Join(room)
				if in := s.handle.In(room); in != (err == nil) || err != nil && !errors.Is(err, hub.ErrRoomFull) {
					t.Errorf("Join: %v, but In is %v", err, in)
				}
				if size := h.Room(room).Len(); size > capacity {
					t.Errorf("%d members in a room for %d", size, capacity)
				}
				if n%4 != 0 {
					s.handle.Leave(room)
				}
			}
			for _, room := range rooms {
				s.handle.Leave(room)
			}
			if i%2 == 0 {
				_ = s.handle.Join(fmt.Sprint("last", i))
			}
		})
	}
	wg.Wait()
	for _, room := range rooms {
		want(t, "members of "+room, h.Room(room).Len(), 0)
	}
	for i, s := range sessions {
		want(t, "rooms at the end", len(s.handle.Rooms()), 1-i%2)
		want(t, "members of its last room", h.Room(fmt.Sprint("last", i)).Len(), 1-i%2)
		_ = s.Conn().Close()
		s.gone()
		want(t, "members after the end", h.Room(fmt.Sprint("last", i)).Len(), 0)
	}
	want(t, "connections", h.Len(), 0)
}
