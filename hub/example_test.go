package hub_test

import (
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// A hub runs whatever connection it is given; in an application package wsx does that after the handshake.
func Example() {
	h := hub.New(hub.Config{
		OnOpen:    func(c *hub.Conn) error { return c.SendText("welcome") },
		OnMessage: func(c *hub.Conn, m hub.Message) error { return c.SendText("you said " + m.Text()) },
		OnClose:   func(_ *hub.Conn, err error) { fmt.Println("ended with", ws.StatusOf(err)) },
	})
	browser, server := net.Pipe()
	go func() { _ = h.Serve(server, hub.Request{}) }()

	client := wsxtest.NewClient(new(testing.T), browser)
	fmt.Println(client.ReadText())
	client.SendText("hello")
	fmt.Println(client.ReadText())
	go func() { client.ReadClose() }() // a client answers the close frame
	fmt.Println("shutdown:", h.Shutdown(context.Background()))
	// Output:
	// welcome
	// you said hello
	// ended with 1001 going away
	// shutdown: <nil>
}

// The handler gets many messages at once, and a batch whose handler fails comes again.
func ExampleConfig_batch() {
	h := hub.New(hub.Config{
		Batch: batch.Config{MaxItems: 3},
		OnBatch: func(_ context.Context, b *hub.Batch) error {
			if b.Attempt() == 1 {
				return fmt.Errorf("the database is away")
			}
			for i, it := range b.All() {
				fmt.Println(i, it.Message.Text())
			}
			return nil
		},
	})
	browser, server := net.Pipe()
	go func() { _ = h.Serve(server, hub.Request{}) }()

	client := wsxtest.NewClient(new(testing.T), browser)
	for _, reading := range []string{"20.1", "20.4", "20.3"} {
		client.SendText(reading)
	}
	client.Close()
	_ = h.Shutdown(context.Background())
	fmt.Println(h.Stats().BatchHandled, "stored")
	// Output:
	// 0 20.1
	// 1 20.4
	// 2 20.3
	// 3 stored
}

// A message's "type" chooses its handler, which gets the rest of it decoded.
func ExampleOn() {
	type post struct {
		Room string `json:"room"`
		From string `json:"from"`
		Text string `json:"text"`
	}
	h := hub.New(hub.Config{})
	hub.On(h, "join", func(c *hub.Conn, p post) error { return c.Join(p.Room) })
	hub.On(h, "say", func(c *hub.Conn, p post) error {
		p.From = c.Subject() // from the token, never from the client
		return c.To(p.Room).Emit("said", p)
	})
	browser, server := net.Pipe()
	go func() { _ = h.Serve(server, hub.Request{Identity: auth.Identity{Subject: "ada"}}) }()

	client := wsxtest.NewClient(new(testing.T), browser)
	client.SendText(`{"type":"join","room":"lobby"}`)
	client.SendText(`{"type":"say","room":"lobby","text":"hello"}`)
	fmt.Println(client.ReadText())
	client.SendText(`{"type":"shout","id":7}`)
	fmt.Println(client.ReadText())
	client.Close()
	_ = h.Shutdown(context.Background())
	// Output:
	// {"type":"said","room":"lobby","from":"ada","text":"hello"}
	// {"type":"error","id":7,"code":"unknown_type","message":"no event has this type"}
}
