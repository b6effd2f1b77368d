// Package wsx is a drop-in WebSocket middleware for Fiber v2. [New] validates the upgrade, checks the origin,
// authenticates the token, and hands the connection to a hub from package hub, which runs it.
//
//	h := hub.New(hub.Config{OnMessage: func(c *hub.Conn, m hub.Message) error { return c.Send(m) }})
//	app := fiber.New()
//	app.Use("/ws", wsx.New(wsx.Config{Hub: h}))
//	log.Fatal(wsx.Listen(app, ":3000", h))
//
// [Listen] serves until SIGINT or SIGTERM, then drains the hubs and Fiber, in that order.
package wsx
