// Command contrib serves the benchmark with gofiber/contrib/websocket.
package main

import (
	"flag"
	"log"
	"sync"
	"time"

	fastws "github.com/fasthttp/websocket"
	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

var mode = flag.String("mode", "loop", "how a broadcast is written: `loop`, writer or prepared")

// member is a connection to broadcast to.
type member struct {
	conn *websocket.Conn
	mu   sync.Mutex
	out  chan message
}

type message struct {
	kind int
	data []byte
}

var (
	mu      sync.RWMutex
	members = make(map[*member]struct{})
	batch   peer.Batch
)

func main() {
	flag.Parse()
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ReadTimeout: 5 * time.Second})
	app.Get("/echo", websocket.New(echo))
	app.Get("/broadcast", websocket.New(broadcast))
	app.Get("/ingest", websocket.New(ingest))
	log.Fatal(app.Listener(peer.Listen()))
}

func echo(c *websocket.Conn) {
	c.SetReadLimit(peer.MaxMessage)
	defer heartbeat(c)()
	for {
		kind, p, err := c.ReadMessage()
		if err != nil {
			return
		}
		if err := c.WriteMessage(kind, p); err != nil {
			return
		}
	}
}

// heartbeat pings from a goroutine, which is the usual way.
func heartbeat(c *websocket.Conn) (stop func()) {
	if *peer.PingInterval <= 0 {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		t := time.NewTicker(*peer.PingInterval)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				_ = c.WriteControl(websocket.PingMessage, nil, time.Now().Add(*peer.PingInterval))
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

func ingest(c *websocket.Conn) {
	c.SetReadLimit(peer.MaxMessage)
	for {
		_, p, err := c.ReadMessage()
		if err != nil {
			return
		}
		batch.Add(p)
	}
}

func broadcast(c *websocket.Conn) {
	c.SetReadLimit(peer.MaxMessage)
	m := &member{conn: c}
	if *mode == "writer" {
		m.out = make(chan message, 1024)
		go m.write()
		defer close(m.out)
	}
	join(m)
	defer leave(m)
	for {
		kind, p, err := c.ReadMessage()
		if err != nil {
			return
		}
		send(kind, p)
	}
}

func join(m *member) {
	mu.Lock()
	members[m] = struct{}{}
	mu.Unlock()
}

func leave(m *member) {
	mu.Lock()
	delete(members, m)
	mu.Unlock()
}

func send(kind int, p []byte) {
	mu.RLock()
	defer mu.RUnlock()
	switch *mode {
	case "writer":
		for m := range members {
			m.out <- message{kind, p}
		}
	case "prepared":
		prepared, err := fastws.NewPreparedMessage(kind, p)
		if err != nil {
			return
		}
		for m := range members {
			m.mu.Lock()
			_ = m.conn.WritePreparedMessage(prepared)
			m.mu.Unlock()
		}
	default:
		for m := range members {
			m.mu.Lock()
			_ = m.conn.WriteMessage(kind, p)
			m.mu.Unlock()
		}
	}
}

func (m *member) write() {
	for v := range m.out {
		if err := m.conn.WriteMessage(v.kind, v.data); err != nil {
			for range m.out { // until the reader has seen it too
			}
			return
		}
	}
}
