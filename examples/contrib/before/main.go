// Command before is a chat with rooms as programs for gofiber/contrib/websocket are written.
//
// Copy nothing: it stands here to compare. ../bridge is the first step, which changes main alone; ../after is the
// second, in which a hub takes over everything but main and the two handlers. What it lacks and they have: any site may
// connect in the name of a visitor, one receiver that stops reading stops its room, a dead peer stays, and SIGTERM
// tells nobody. Change nothing either, and see: diff -u before/main.go bridge/main.go; diff -u before/main.go
// after/main.go.
package main

import (
	"flag"
	"log"
	"sync"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

func main() {
	addr := flag.String("addr", ":3000", "where to listen")
	flag.Parse()

	app := fiber.New()
	app.Use("/ws", func(c *fiber.Ctx) error {
		if !websocket.IsWebSocketUpgrade(c) {
			return fiber.ErrUpgradeRequired
		}
		return c.Next()
	})
	app.Get("/ws/:room", websocket.New(chat))
	if err := app.Listen(*addr); err != nil {
		log.Fatal(err)
	}
}

// chat passes what a visitor says on to everybody in the room.
func chat(c *websocket.Conn) {
	room, name := c.Params("room"), c.Query("name", "somebody")
	enter(room, c)
	defer leave(room, c)
	for {
		kind, text, err := c.ReadMessage()
		if err != nil {
			return
		}
		if kind == websocket.TextMessage {
			say(room, append([]byte(name+": "), text...))
		}
	}
}

var (
	mu    sync.Mutex // also because a connection is for one writer at a time
	rooms = make(map[string]map[*websocket.Conn]bool)
)

func enter(room string, c *websocket.Conn) {
	mu.Lock()
	defer mu.Unlock()
	if rooms[room] == nil {
		rooms[room] = make(map[*websocket.Conn]bool)
	}
	rooms[room][c] = true
}

func leave(room string, c *websocket.Conn) {
	mu.Lock()
	defer mu.Unlock()
	delete(rooms[room], c)
	if len(rooms[room]) == 0 {
		delete(rooms, room)
	}
}

func say(room string, text []byte) {
	mu.Lock()
	defer mu.Unlock()
	for c := range rooms[room] {
		if c.WriteMessage(websocket.TextMessage, text) != nil {
			_ = c.Close()
		}
	}
}
