// Command echo sends every message back to who sent it: the least that a program with wsx needs.
//
// Copy all of main: the hub, the route, wsx.Listen. Change OnMessage, which gets each message, or take hub.On for
// messages of several types; name in wsx.Config who may connect: Origins for pages of other sites, Auth for tokens. In
// an app that exists copy the line with app.Use, and serve with wsx.Listen in the place of app.Listen: that is what
// ends connections in order when a signal comes.
package main

import (
	"flag"
	"log"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/gofiber/fiber/v2"
)

// To try it, open http://127.0.0.1:3000 and say in the browser's console:
//
//	s = new WebSocket("/ws"); s.onmessage = (e) => console.log(e.data); s.onopen = () => s.send("hello")
func main() {
	addr := flag.String("addr", ":3000", "where to listen")
	flag.Parse()

	h := hub.New(hub.Config{OnMessage: func(c *hub.Conn, m hub.Message) error { return c.Send(m) }})
	app := fiber.New()
	app.Use("/ws", wsx.New(wsx.Config{Hub: h}))
	if err := wsx.Listen(app, *addr, h); err != nil { // serves until SIGINT or SIGTERM, drains, returns nil
		log.Fatal(err)
	}
}
