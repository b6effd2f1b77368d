// Command after is ../before with a hub: the second step.
//
// Copy main, and write your handlers like enter and say: what was the loop is a function for each message, what stood
// before the loop is OnOpen, what stood behind it OnClose. Change what they do, and who may connect: name comes from
// the client here; with wsx.Config.Auth it is c.Subject(), from a token. The locks and the map of rooms are gone,
// because a connection may be written to from anywhere and leaves its rooms by itself; who reads too slowly is cut, and
// alone.
package main

import (
	"flag"
	"log"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/gofiber/fiber/v2"
)

func main() {
	addr := flag.String("addr", ":3000", "where to listen")
	flag.Parse()

	h := hub.New(hub.Config{OnOpen: enter, OnMessage: say})
	app := fiber.New()
	app.Get("/ws/:room", wsx.New(wsx.Config{Hub: h, RequireUpgrade: true}))
	if err := wsx.Listen(app, *addr, h); err != nil {
		log.Fatal(err)
	}
}

func enter(c *hub.Conn) error { return c.Join(c.Params("room")) }

// say passes what a visitor says on to everybody in the room.
func say(c *hub.Conn, m hub.Message) error {
	if m.Type != ws.Text {
		return nil
	}
	return c.To(c.Params("room")).SendText(c.Query("name", "somebody") + ": " + m.Text())
}
