package wsx_test

import (
	"testing"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestChatOfTheReadme: events, rooms and a token over a real server.
func TestChatOfTheReadme(t *testing.T) {
	type post struct {
		Room string `json:"room"`
		From string `json:"from"`
		Text string `json:"text"`
	}
	h := hub.New(hub.Config{PingInterval: -1, Logger: quiet})
	hub.On(h, "join", func(c *hub.Conn, p post) error { return c.Join(p.Room) })
	hub.On(h, "say", func(c *hub.Conn, p post) error {
		p.From = c.Subject()
		return c.To(p.Room).Emit("said", p)
	})
	app := newApp()
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Auth: auth.Static(map[string]string{"ada-has-16-bytes": "ada"}), Logger: quiet}))
	addr := serve(t, app, h)
	client := wsxtest.Dial(t, "ws://"+addr+"/ws", wsxtest.Options{Header: map[string][]string{
		"Authorization": {"Bearer ada-has-16-bytes"},
	}})
	client.SendText(`{"type":"join","room":"lobby"}`)
	client.SendText(`{"type":"say","room":"lobby","from":"eve","text":"hello"}`)
	if got, want := client.ReadText(), `{"type":"said","room":"lobby","from":"ada","text":"hello"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	client.SendText(`{"type":"dance"}`)
	if got, want := client.ReadText(), `{"type":"error","code":"unknown_type","message":"no event has this type"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	client.Close()
}
