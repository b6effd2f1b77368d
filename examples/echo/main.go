// Command echo sends every message back to who sent it: the least that a program with wsx needs.
package main

import (
	"flag"
	"log"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/gofiber/fiber/v2"
)

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
