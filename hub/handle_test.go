package hub_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

var color = hub.NewKey[string]("color")

// methods calls everything that a handle can do; those that can fail return how.
var methods = map[string]func(c *hub.Conn) error{
	"Send":       func(c *hub.Conn) error { return c.Send(text("x")) },
	"SendText":   func(c *hub.Conn) error { return c.SendText("x") },
	"SendBinary": func(c *hub.Conn) error { return c.SendBinary([]byte{1}) },
	"SendJSON":   func(c *hub.Conn) error { return c.SendJSON(1) },
	"Ping":       func(c *hub.Conn) error { return c.Ping(nil) },
	"Pong":       func(c *hub.Conn) error { return c.Pong(nil) },
	"Join":       func(c *hub.Conn) error { return c.Join("room") },
	"Flush":      func(c *hub.Conn) error { return c.Flush(c.Context()) },
}

// getters are the methods without an error.
var getters = map[string]func(c *hub.Conn){
	"Leave":       func(c *hub.Conn) { c.Leave("room") },
	"In":          func(c *hub.Conn) { c.In("room") },
	"Rooms":       func(c *hub.Conn) { c.Rooms() },
	"To":          func(c *hub.Conn) { _ = c.To("room").Except(c).SendText("x") },
	"ID":          func(c *hub.Conn) { c.ID() },
	"State":       func(c *hub.Conn) { _ = c.State().String() },
	"Context":     func(c *hub.Conn) { c.Context().Err() },
	"RTT":         func(c *hub.Conn) { c.RTT() },
	"LastSeen":    func(c *hub.Conn) { c.LastSeen() },
	"Buffered":    func(c *hub.Conn) { c.Buffered() },
	"Receive":     func(c *hub.Conn) { _, _ = c.Receive(context.Background()) },
	"Params":      func(c *hub.Conn) { c.Params("x") },
	"Query":       func(c *hub.Conn) { c.Query("x") },
	"Header":      func(c *hub.Conn) { c.Header("x") },
	"Cookie":      func(c *hub.Conn) { c.Cookie("x") },
	"Local":       func(c *hub.Conn) { c.Local("x") },
	"IP":          func(c *hub.Conn) { c.IP() },
	"Subprotocol": func(c *hub.Conn) { c.Subprotocol() },
	"Subject":     func(c *hub.Conn) { c.Subject() },
	"Claims":      func(c *hub.Conn) { c.Claims() },
	"Key":         func(c *hub.Conn) { color.Set(c, "red"); color.Get(c) },
}

// TestHandleFromEverywhere calls every method from goroutines of its own, before, during and after the end. What it
// looks for is a race, a panic or a deadlock.
func TestHandleFromEverywhere(t *testing.T) {
	for _, end := range []string{"server closes", "client closes", "client vanishes", "handler panics"} {
		t.Run(end, func(t *testing.T) {
			h := newHub(t, hub.Config{
				OutboxMessages: -1, OutboxBytes: -1, // nobody is cut for being slow
				OnMessage: func(*hub.Conn, hub.Message) error {
					panic("now")
				},
			})
			s := connect(t, h)
			var wg, warm sync.WaitGroup
			hammer := func(f func(c *hub.Conn)) {
				warm.Add(1)
				wg.Go(func() {
					for range 20 {
						f(s.handle)
					}
					warm.Done()
					for range 20 {
						f(s.handle)
					}
					<-s.handle.Done()
					f(s.handle)
				})
			}
			for _, f := range methods {
				hammer(func(c *hub.Conn) { _ = f(c) })
			}
			for _, f := range getters {
				hammer(f)
			}
			go func() { // reads all, and answers only the close frame: a pipe that both sides write to blocks
				for f, err := s.ReadFrame(); err == nil; f, err = s.ReadFrame() {
					if f.Op == wireClose {
						_ = s.Frame(true, wireClose, nil)
					}
				}
			}()
			warm.Wait()
			switch end {
			case "server closes":
				_ = s.handle.Close(ws.StatusNormalClosure, "")
			case "client closes":
				must(t, s.Frame(true, wireClose, nil))
			case "client vanishes":
				_ = s.Conn().Close()
			case "handler panics":
				must(t, s.Frame(true, wireText, nil))
			}
			s.gone()
			wg.Wait()
		})
	}
}

func TestHandleAfterTheEnd(t *testing.T) {
	asked := 0
	h := newHub(t, hub.Config{OnMessage: nothing, OnJoin: func(*hub.Conn, string) error {
		asked++
		return nil
	}})
	s := connect(t, h)
	c := s.handle
	must(t, c.Join("room"))
	s.Client.Close()
	s.gone()

	for name, f := range methods {
		if err := f(c); !errors.Is(err, hub.ErrClosed) && name != "Flush" {
			t.Errorf("%s after the end: got %v, want ErrClosed", name, err)
		}
	}
	want(t, "calls of OnJoin", asked, 1)
	if err := c.Flush(context.Background()); !errors.Is(err, hub.ErrClosed) {
		t.Errorf("Flush after the end: got %v, want ErrClosed", err)
	}
	if err := c.Close(ws.StatusNormalClosure, ""); !errors.Is(err, hub.ErrClosed) {
		t.Errorf("Close after the end: got %v, want ErrClosed", err)
	}
	if err := c.To("room").SendText("x"); !errors.Is(err, hub.ErrNotMember) {
		t.Errorf("To after the end: got %v, want ErrNotMember", err)
	}
	if _, err := c.Receive(context.Background()); !errors.Is(err, hub.ErrNoReceive) {
		t.Errorf("Receive without OnConn: got %v, want ErrNoReceive", err)
	}
	for _, f := range getters {
		f(c)
	}
	messages, bytes := c.Buffered()
	want(t, "buffered messages", messages, 0)
	want(t, "buffered bytes", bytes, 0)
	want(t, "state", c.State(), hub.StateClosed)
	want(t, "Leave", c.Leave("room"), false)
	want(t, "In", c.In("room"), false)
	want(t, "rooms", len(c.Rooms()), 0)
	want(t, "room size", h.Room("room").Len(), 0)
	want(t, "hub size", h.Len(), 0)
	if _, ok := h.Conn(c.ID()); ok {
		t.Error("the hub still finds the connection")
	}
}

// TestStaleHandleReachesNobody keeps handles and writes to them while their successors are served.
func TestStaleHandleReachesNobody(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: echo})
	var stale []*hub.Conn
	for range 50 {
		s := connect(t, h)
		for _, c := range stale {
			if err := c.SendText("late"); !errors.Is(err, hub.ErrClosed) {
				t.Fatalf("a late write: %v", err)
			}
		}
		s.SendText("mine")
		want(t, "message", s.ReadText(), "mine")
		s.Client.Close()
		s.gone()
		stale = append(stale, s.handle)
	}
	ids := make(map[string]bool)
	for _, c := range stale {
		ids[c.ID()] = true
	}
	want(t, "different ids", len(ids), len(stale))
}

func TestKeys(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing})
	a, b := connect(t, h).handle, connect(t, h).handle
	first, second := hub.NewKey[int]("count"), hub.NewKey[int]("count")
	number := hub.NewKey[string]("count")
	if v, ok := first.Get(a); ok || v != 0 {
		t.Errorf("an unset value: got %v, %v", v, ok)
	}
	first.Set(a, 1)
	second.Set(a, 2)
	number.Set(a, "three")
	if v, ok := first.Get(a); !ok || v != 1 {
		t.Errorf("first key: got %v, %v", v, ok)
	}
	if v, ok := second.Get(a); !ok || v != 2 {
		t.Errorf("second key of the same name and type: got %v, %v", v, ok)
	}
	if v, ok := number.Get(a); !ok || v != "three" {
		t.Errorf("key of another type: got %v, %v", v, ok)
	}
	if _, ok := first.Get(b); ok {
		t.Error("the value is found with another connection")
	}
	want(t, "name", first.String(), "count")
	want(t, "name of the zero key", hub.Key[int]{}.String(), "")
}

// TestPayload checks that an Immutable payload stays what it was, and that Send keeps nothing of the caller's.
func TestPayload(t *testing.T) {
	t.Run("Immutable", func(t *testing.T) {
		var kept list[[]byte]
		h := newHub(t, hub.Config{Immutable: true, OnMessage: func(_ *hub.Conn, m hub.Message) error {
			kept.add(m.Data)
			return nil
		}})
		s := connect(t, h)
		for _, v := range []string{"one", "two", "six"} {
			s.SendText(v)
		}
		s.sync()
		var got []string
		for _, b := range kept.all() {
			got = append(got, string(b))
		}
		if !slices.Equal(got, []string{"one", "two", "six"}) {
			t.Errorf("kept payloads: %q", got)
		}
	})
	t.Run("Send copies", func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing})
		s := connect(t, h)
		big := make([]byte, 4<<10) // from some size on frames are shared
		for i := range big {
			big[i] = 'a'
		}
		must(t, s.handle.SendBinary(big))
		must(t, h.All().SendBinary(big))
		clear(big)
		for range 2 {
			m, err := s.Read()
			must(t, err)
			if slices.ContainsFunc(m.Data, func(b byte) bool { return b != 'a' }) {
				t.Error("what was sent changed with the caller's bytes")
			}
		}
	})
}

func TestSendRefusesWhatIsNotUTF8(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing})
	s := connect(t, h)
	for name, err := range map[string]error{
		"Conn.Send":   s.handle.SendText("\xff"),
		"Target.Send": h.All().SendText("\xff"),
	} {
		if !errors.Is(err, hub.ErrInvalidUTF8) {
			t.Errorf("%s: got %v, want ErrInvalidUTF8", name, err)
		}
	}
	if err := s.handle.SendJSON(func() {}); err == nil || errors.Is(err, hub.ErrClosed) {
		t.Errorf("SendJSON of a function: %v", err)
	}
	must(t, s.handle.SendText("still open"))
	want(t, "message", s.ReadText(), "still open")
	if since := time.Since(s.handle.LastSeen()); since < 0 || since > patience {
		t.Errorf("last seen %v ago", since)
	}
}
