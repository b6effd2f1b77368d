package hub_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// TestEvents: each body arrives as the value that its type makes of it, and goes out in the same form.
func TestEvents(t *testing.T) {
	h := newHub(t, hub.Config{})
	hub.On(h, "say", said)
	hub.On(h, "pointer", func(c *hub.Conn, p *post) error { return said(c, *p) })
	hub.On(h, "map", func(c *hub.Conn, m map[string]int) error { return c.Emit("map", m) })
	hub.On(h, "count", func(c *hub.Conn, n int) error { return c.Emit("count", n+1) })
	hub.On(h, "list", func(c *hub.Conn, l []string) error { return c.Emit("list", append(l, "c")) })
	hub.On(h, "time", func(c *hub.Conn, at time.Time) error { return c.Emit("time", at.Add(time.Hour)) })
	hub.On(h, "any", func(c *hub.Conn, v any) error { return c.Emit("any", fmt.Sprint(v)) })
	hub.On(h, "ping", func(c *hub.Conn, _ struct{}) error { return c.Emit("pong", nil) })
	s := connectAs(t, h, "ada")
	for message, answer := range map[string]string{
		`{"type":"say","room":"a","text":"b","from":"eve"}`: `{"type":"said","room":"a","from":"ada","text":"b"}`,
		`{"type":"pointer","text":"b"}`:                     `{"type":"said","room":"","from":"ada","text":"b"}`,
		`{"type":"map","a":1,"id":7}`:                       `{"type":"map","a":1,"id":7}`,
		`{"type":"count","data":2}`:                         `{"type":"count","data":3}`,
		`{"type":"list","data":["a","b"]}`:                  `{"type":"list","data":["a","b","c"]}`,
		`{"type":"time","data":"2026-01-01T00:00:00Z"}`:     `{"type":"time","data":"2026-01-01T01:00:00Z"}`,
		`{"type":"any","data":null}`:                        `{"type":"any","data":"\u003cnil\u003e"}`,
		`{"type":"ping"}`:                                   `{"type":"pong"}`,
	} {
		want(t, message, s.exchange(message), answer)
	}
	want(t, "invalid ones", h.Stats().Invalid, 0)
}

// TestRefusedEvents: what no handler is to see is answered with its code, and with nothing of what was sent but the id.
func TestRefusedEvents(t *testing.T) {
	deep := `{"type":"say","text":"a","x":` + strings.Repeat("[", codec.MaxDepth) + strings.Repeat("]", codec.MaxDepth) + `}`
	for message, answer := range map[string]string{
		`{"type":"` + marker + `","id":7}`:         withID(unknownType, "7"),
		`{"type":"said"}`:                          unknownType,
		`{"type":"Say","text":"a"}`:                unknownType,
		marker:                                     malformed,
		`["` + marker + `"]`:                       malformed,
		`{"id":"a"}`:                               withID(malformed, `"a"`),
		`{"type":"say","type":"say","text":"a"}`:   malformed,
		`{"type":"say","Type":"say","text":"a"}`:   malformed,
		`{"type":"say","text":"a"}{}`:              malformed,
		deep:                                       malformed,
		`{"type":"say","text":["` + marker + `"]}`: invalidBody,
		`{"type":"say","id":"q","text":""}`:        withID(invalidBody, `"q"`),
		`{"type":"say","id":{"a":"` + marker + `"},"text":7}`:      invalidBody,
		`{"type":"say","text":"` + strings.Repeat("a", 101) + `"}`: `{"type":"error","code":"too_long","message":"at most 100 bytes"}`,
		`{"type":"count","data":"` + marker + `"}`:                 invalidBody,
		`{"type":"count"}`:                    noData,
		`{"type":"optional","data":null}`:     invalidBody,
		`{"type":"map","a":"` + marker + `"}`: invalidBody,
	} {
		h := newHub(t, hub.Config{ErrorBudget: 1, OnError: func(_ *hub.Conn, err error) { t.Errorf("%s: reported %v", message, err) }})
		hub.On(h, "say", said)
		hub.On(h, "count", func(c *hub.Conn, n int) error { return c.Emit("count", n) })
		hub.On(h, "map", func(c *hub.Conn, m map[string]int) error { return c.Emit("map", m) })
		hub.On(h, "optional", func(*hub.Conn, *instant) error { return errors.New("called") })
		s := connect(t, h)
		want(t, message, s.exchange(message), answer)
		want(t, "after it", s.exchange(`{"type":"say","text":"x"}`), `{"type":"said","room":"","text":"x"}`)
		want(t, "invalid ones", h.Stats().Invalid, 1)
	}
}

// instant travels in "data", and has its Validate on the pointer's target.
type instant struct{ time.Time }

func (i *instant) Validate() error { return errors.New("of " + i.Time.String()) }

// TestBinaryEvents: JSON comes in text messages.
func TestBinaryEvents(t *testing.T) {
	h := newHub(t, hub.Config{})
	hub.On(h, "say", said)
	s := connect(t, h)
	s.Send(ws.Message{Type: ws.Binary, Data: []byte(`{"type":"say","text":"x"}`)})
	if got := s.ReadText(); !strings.Contains(got, `"code":"invalid"`) {
		t.Errorf("got %s", got)
	}
}

// TestEventErrors: an EventError is told and nothing else; every other error is for OnError alone.
func TestEventErrors(t *testing.T) {
	var reported list[error]
	h := newHub(t, hub.Config{ErrorBudget: 2, OnError: func(_ *hub.Conn, err error) { reported.add(err) }})
	muted := hub.EventError{Code: "muted"}
	broken := errors.New(marker)
	hub.On(h, "muted", func(*hub.Conn, struct{}) error { return fmt.Errorf("for a minute: %w", muted) })
	hub.On(h, "broken", func(*hub.Conn, struct{}) error { return broken })
	s := connect(t, h)
	for range 5 {
		want(t, "answer", s.exchange(`{"type":"muted","id":7}`), `{"type":"error","id":7,"code":"muted"}`)
	}
	s.SendText(`{"type":"broken"}`)
	s.SendText(`{"type":"broken"}`)
	s.wantClose(ws.StatusInternalError)
	if got := reported.all(); len(got) != 2 || got[0] != broken {
		t.Errorf("reported %v", got)
	}
	want(t, "invalid ones", h.Stats().Invalid, 0)
}

// TestComplaintsAreBounded: who sends nonsense is told ten times a second, and not more.
func TestComplaintsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{Rate: -1})
		hub.On(h, "say", said)
		s := connect(t, h)
		for range 3 {
			go func() {
				for range 100 {
					s.SendText("nonsense")
				}
				s.SendText(`{"type":"say","text":"x"}`)
			}()
			for range 10 {
				want(t, "answer", s.ReadText(), malformed)
			}
			want(t, "behind them", s.ReadText(), `{"type":"said","room":"","text":"x"}`)
			time.Sleep(time.Second)
		}
		want(t, "invalid ones", h.Stats().Invalid, 300)
	})
}

// TestEventCrash: a panic ends its connection alone, and names the event.
func TestEventCrash(t *testing.T) {
	crashes := make(chan error, 1)
	h := newHub(t, hub.Config{OnError: func(_ *hub.Conn, err error) { crashes <- err }})
	hub.On(h, "say", func(*hub.Conn, post) error { panic(marker) })
	s := connect(t, h)
	s.SendText(`{"type":"say","text":"x"}`)
	s.wantClose(ws.StatusInternalError)
	want(t, "error", await(t, crashes, "the error").Error(), `hub: panic in On "say"`)
}

// TestEmit: an event is encoded for one, for many and on every kind of hub; what cannot be is the sender's error.
func TestEmit(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing})
	a, b := connectAs(t, h, "ada"), connectAs(t, h, "bob")
	must(t, a.handle.Join("lobby"))
	must(t, b.handle.Join("lobby"))
	must(t, a.handle.Emit("one", 1))
	must(t, h.To("lobby").Except(b.handle).Emit("two", post{Text: "x"}))
	must(t, h.User("ada").Emit("three", map[string]int{"n": 3}))
	for _, answer := range []string{
		`{"type":"one","data":1}`, `{"type":"two","room":"","text":"x"}`, `{"type":"three","n":3}`,
	} {
		want(t, "event", a.ReadText(), answer)
	}
	for name, emit := range map[string]func(string, any) error{"conn": a.handle.Emit, "all": h.All().Emit} {
		if err := emit("x", map[string]int{"type": 1}); !errors.Is(err, codec.ErrOwnType) {
			t.Errorf("%s, a type of its own: %v", name, err)
		}
		if err := emit("", nil); !errors.Is(err, codec.ErrNoType) {
			t.Errorf("%s, no name: %v", name, err)
		}
		if emit("x", make(chan int)) == nil {
			t.Errorf("%s: a channel was sent", name)
		}
	}
	if err := b.handle.To("elsewhere").Emit("x", nil); !errors.Is(err, hub.ErrNotMember) {
		t.Errorf("to a room of others: %v", err)
	}
	must(t, h.All().Emit("last", nil))
	want(t, "after the errors", b.ReadText(), `{"type":"last"}`)
	must(t, b.handle.Close(ws.StatusNormalClosure, ""))
	if err := b.handle.Emit("x", nil); !errors.Is(err, hub.ErrClosed) {
		t.Errorf("after the close: %v", err)
	}
}

// TestMisplacedEvents: what can never work panics when the program starts.
func TestMisplacedEvents(t *testing.T) {
	served := newHub(t, hub.Config{})
	hub.On(served, "say", said)
	connect(t, served)
	plain := newHub(t, hub.Config{})
	hub.On(plain, "say", said)
	asking := newHub(t, hub.Config{})
	hub.On(asking, "say", said)
	stranger := begin(t, asking, unknown())
	must(t, stranger.Frame(true, wire.OpPing, nil))
	_, err := stranger.ReadFrame() // so that it is there
	must(t, err)
	onMessage := newHub(t, hub.Config{OnMessage: nothing})
	onConn := newHub(t, hub.Config{OnConn: func(*hub.Conn) error { return nil }})
	for name, f := range map[string]func(){
		"twice":             func() { hub.On(plain, "say", said) },
		"no name":           func() { hub.On(plain, "", said) },
		"the reply's name":  func() { hub.On(plain, "reply", said) },
		"the error's name":  func() { hub.On(plain, "error", said) },
		"no reply":          func() { hub.Reply[post, post](plain, "x", nil) },
		"a reply twice":     func() { hub.Reply(plain, "say", func(*hub.Conn, post) (int, error) { return 0, nil }) },
		"no handler":        func() { hub.On[post](plain, "x", nil) },
		"too late":          func() { hub.On(served, "x", said) },
		"too late too":      func() { hub.On(asking, "x", said) },
		"nobody's where":    func() { plain.All().Where(nil) },
		"beside OnMessage":  func() { hub.On(onMessage, "x", said) },
		"beside OnConn":     func() { hub.On(onConn, "x", said) },
		"no layer":          func() { plain.Use(nil) },
		"a layer too late":  func() { served.Use(func(next hub.Handler) hub.Handler { return next }) },
		"a layer on OnConn": func() { onConn.Use(func(next hub.Handler) hub.Handler { return next }) },
	} {
		func() {
			defer func() {
				if what, _ := recover().(string); !strings.HasPrefix(what, "hub: ") {
					t.Errorf("%s: %q", name, what)
				}
			}()
			f()
			t.Errorf("%s works", name)
		}()
	}
}

// TestHandles: a hub has a handler as soon as it has an event.
func TestHandles(t *testing.T) {
	h := newHub(t, hub.Config{})
	want(t, "without", h.Handles(), false)
	hub.On(h, "say", said)
	want(t, "with an event", h.Handles(), true)
}
