// Command bridge is ../before behind the handshake of wsx: the first step, in which no handler changes.
//
// Copy main: the hub, wsx.Contrib in the place of websocket.New, wsx.Listen in the place of app.Listen. Change
// wsx.Config.Origins if pages of other sites may connect, and hub.Config.MaxMessage if messages may be longer than 64
// KiB. Now origins are checked, messages and connections limited, and on SIGTERM every client sees 1001. What handlers
// do to each other has not changed: one receiver that stops reading still stops its room. ../after is the second step.
package main

import (
	"flag"
	"log"
	"sync"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
)

func main() {
	addr := flag.String("addr", ":3000", "where to listen")
	flag.Parse()

	h := hub.New(hub.Config{}) // without a handler: it counts, limits and drains
	app := fiber.New()
	app.Get("/ws/:room", wsx.Contrib(chat, wsx.Config{Hub: h, RequireUpgrade: true}))
	if err := wsx.Listen(app, *addr, h); err != nil {
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
