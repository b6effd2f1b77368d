package wsx_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// crew are some clients of one hub and their handles, by name.
type crew struct {
	hub     *hub.Hub
	clients map[string]*wsxtest.Client
	conns   map[string]*hub.Conn
}

// membership says in which rooms each of a crew is. The name without its digit is the subject.
var membership = map[string][]string{"ann1": {"x", "y"}, "ann2": {"x"}, "bob1": {"y"}, "eve1": nil}

func newCrew(t *testing.T, on transport) *crew {
	t.Helper()
	k := &crew{clients: make(map[string]*wsxtest.Client), conns: make(map[string]*hub.Conn)}
	k.hub = echoHub(hub.Config{OnOpen: func(c *hub.Conn) error {
		for _, room := range membership[c.Query("name")] {
			if err := c.Join(room); err != nil {
				return err
			}
		}
		return nil
	}})
	address := on.serve(t, k.hub, wsx.Config{Identify: func(c *fiber.Ctx) (auth.Identity, error) {
		return auth.Identity{Subject: strings.Trim(c.Query("name"), "0123456789")}, nil
	}})
	for name := range membership {
		k.clients[name] = wsxtest.Dial(t, address+"?name="+name)
		said(t, k.clients[name], "here")
	}
	for c := range k.hub.Conns() {
		k.conns[c.Query("name")] = c
	}
	return k
}

// hears reads up to a mark and returns the texts before it, or a close code.
func hears(c *wsxtest.Client) (heard []string) {
	for {
		m, err := c.Read()
		switch {
		case err != nil && ws.StatusOf(err) != 0:
			return append(heard, fmt.Sprint(err))
		case err != nil:
			return append(heard, "lost: "+err.Error())
		case m.Type == ws.Binary:
			return heard
		}
		heard = append(heard, string(m.Data))
	}
}

// aims are all targets, and whom each has.
var aims = map[string]struct {
	at   func(k *crew) hub.Target
	gets []string
}{
	"a room":             {func(k *crew) hub.Target { return k.hub.To("x") }, []string{"ann1", "ann2"}},
	"several rooms":      {func(k *crew) hub.Target { return k.hub.To("x", "y", "z") }, []string{"ann1", "ann2", "bob1"}},
	"an empty room":      {func(k *crew) hub.Target { return k.hub.To("z") }, nil},
	"a user":             {func(k *crew) hub.Target { return k.hub.User("ann") }, []string{"ann1", "ann2"}},
	"nobody's user":      {func(k *crew) hub.Target { return k.hub.User("zoe") }, nil},
	"a connection":       {func(k *crew) hub.Target { return k.conns["bob1"].Target() }, []string{"bob1"}},
	"all":                {func(k *crew) hub.Target { return k.hub.All() }, []string{"ann1", "ann2", "bob1", "eve1"}},
	"a member's room":    {func(k *crew) hub.Target { return k.conns["ann1"].To("x") }, []string{"ann1", "ann2"}},
	"a room except one":  {func(k *crew) hub.Target { return k.hub.To("x", "y").Except(k.conns["ann1"]) }, []string{"ann2", "bob1"}},
	"a user except one":  {func(k *crew) hub.Target { return k.hub.User("ann").Except(k.conns["ann2"]) }, []string{"ann1"}},
	"all except some":    {func(k *crew) hub.Target { return k.hub.All().Except(k.conns["bob1"], k.conns["eve1"]) }, []string{"ann1", "ann2"}},
	"one except himself": {func(k *crew) hub.Target { return k.conns["bob1"].Target().Except(k.conns["bob1"]) }, nil},
	"a room where":       {func(k *crew) hub.Target { return k.hub.To("x").Where(inBoth) }, []string{"ann1"}},
	"rooms where":        {func(k *crew) hub.Target { return k.hub.To("x", "y").Where(inBoth) }, []string{"ann1"}},
	"all where":          {func(k *crew) hub.Target { return k.hub.All().Where(isEve) }, []string{"eve1"}},
	"a user where":       {func(k *crew) hub.Target { return k.hub.User("ann").Where(inBoth) }, []string{"ann1"}},
	"one where not":      {func(k *crew) hub.Target { return k.conns["bob1"].Target().Where(inBoth) }, nil},
}

func inBoth(c *hub.Conn) bool { return c.In("x") && c.In("y") }

func isEve(c *hub.Conn) bool { return c.Subject() == "eve" }

// aimed are all that a target can do, and what those hear of it whom it has.
var aimed = map[string]struct {
	do   func(to hub.Target) error
	hear string
}{
	"Send":  {func(to hub.Target) error { return to.SendText("hello") }, "hello"},
	"Emit":  {func(to hub.Target) error { return to.Emit("said", "hello") }, `{"type":"said","data":"hello"}`},
	"Close": {func(to hub.Target) error { return to.Close(ws.StatusKicked, "out") }, fmt.Sprint(ws.CloseError{Status: ws.StatusKicked, Reason: "out"})},
}

// TestEveryTarget does to each target all that it can do: whom it has hears it once, and nobody else hears anything.
func TestEveryTarget(t *testing.T) {
	for what, act := range aimed {
		t.Run(what, func(t *testing.T) {
			onEach(t, func(t *testing.T, on transport) {
				k := newCrew(t, on)
				for name, aim := range aims {
					if what == "Close" && len(k.clients) < len(membership) {
						k = newCrew(t, on)
					}
					if err := act.do(aim.at(k)); err != nil {
						t.Errorf("%s: %v", name, err)
					}
					if err := k.hub.All().SendBinary([]byte("mark")); err != nil {
						t.Error(err)
					}
					k.check(t, name, aim.gets, act.hear)
				}
			})
		})
	}
}

// check compares what everybody hears. Who is closed leaves the crew.
func (k *crew) check(t *testing.T, aim string, gets []string, hear string) {
	t.Helper()
	for name, c := range k.clients {
		var want []string
		if slices.Contains(gets, name) {
			want = []string{hear}
		}
		got := hears(c)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %s hears %q, want %q", aim, name, got, want)
		}
		if strings.HasPrefix(strings.Join(got, ""), "websocket: closed") {
			delete(k.clients, name)
		}
	}
}
