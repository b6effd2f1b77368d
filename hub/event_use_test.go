package hub_test

import (
	"errors"
	"testing"

	"github.com/fiberwsx/wsx/hub"
)

// TestLayers: the first one is the outermost, around events and OnMessage alike, whatever was registered first.
func TestLayers(t *testing.T) {
	for name, row := range map[string]struct {
		onMessage func(*hub.Conn, hub.Message) error
		message   string
		event     string
	}{
		"events":    {nil, `{"type":"say","text":"x"}`, "say"},
		"OnMessage": {echo, "x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var log list[string]
			h := newHub(t, hub.Config{OnMessage: row.onMessage})
			layer := func(name string) func(hub.Handler) hub.Handler {
				return func(next hub.Handler) hub.Handler {
					return func(c *hub.Conn, e hub.Event) error {
						log.add(name + " before " + e.Name + " " + e.Message.Text())
						defer log.add(name + " after")
						return next(c, e)
					}
				}
			}
			h.Use(layer("a"))
			if row.onMessage == nil {
				hub.On(h, row.event, said)
			}
			h.Use(layer("b"))
			s := connect(t, h)
			s.exchange(row.message)
			s.sync()
			all := log.all()
			want(t, "lines", len(all), 4)
			for i, line := range []string{
				"a before " + row.event + " " + row.message, "b before " + row.event + " " + row.message, "b after", "a after",
			} {
				want(t, "line", all[i], line)
			}
		})
	}
}

// TestLayersDecide: what a layer returns counts, and it sees which bodies were refused.
func TestLayersDecide(t *testing.T) {
	var seen list[error]
	h := newHub(t, hub.Config{})
	hub.On(h, "say", said)
	hub.On(h, "secret", said)
	h.Use(func(next hub.Handler) hub.Handler {
		return func(c *hub.Conn, e hub.Event) error {
			if e.Name == "secret" {
				return hub.EventError{Code: "forbidden"}
			}
			err := next(c, e)
			seen.add(err)
			return err
		}
	})
	s := connect(t, h)
	want(t, "forbidden", s.exchange(`{"type":"secret","text":"x"}`), `{"type":"error","code":"forbidden"}`)
	want(t, "invalid", s.exchange(`{"type":"say"}`), invalidBody)
	want(t, "unknown", s.exchange(`{"type":"x"}`), unknownType)
	s.exchange(`{"type":"say","text":"x"}`)
	s.sync()
	errs := seen.all()
	want(t, "events that came by", len(errs), 2)
	var told hub.EventError
	if !errors.As(errs[0], &told) || told.Code != hub.CodeInvalid || errs[1] != nil {
		t.Errorf("saw %v", errs)
	}
}
