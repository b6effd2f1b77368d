// Command contrib serves the benchmark with gofiber/contrib/websocket. How a broadcast is written is the flag -mode: in
// a loop with a mutex a connection (loop), the same with a frame that is prepared once (prepared), or through a channel
// and a goroutine a connection (writer). Buffers are of 4 KiB, those for writing pooled, messages read into memory that
// is used again. It does not check text as UTF-8.
package main

import (
	"bytes"
	"flag"
	"log"
	"sync"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

const bufferSize = 4096

// handler handles a message, whose memory is used again.
type handler func(m *member, kind int, p []byte) error

var (
	mode  = flag.String("mode", "loop", "how a broadcast is written: `loop`, prepared or writer")
	batch peer.Batch
)

func main() {
	flag.Parse()
	broadcast, ok := map[string]handler{"loop": loop, "prepared": prepared, "writer": queue}[*mode]
	if !ok {
		log.Fatalf("-mode %s: want loop, prepared or writer", *mode)
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ReadTimeout: peer.ReadTimeout})
	app.Get("/echo", serve(func(m *member) { m.read(echo) }))
	app.Get("/broadcast", serve(func(m *member) {
		if *mode == "writer" {
			defer m.start()()
		}
		defer members.Join(m)()
		m.read(broadcast)
	}))
	app.Get("/ingest", serve(func(m *member) { m.read(ingest) }))
	log.Fatal(app.Listener(peer.Secure(peer.Listen())))
}

func serve(run func(*member)) fiber.Handler {
	return websocket.New(func(c *websocket.Conn) {
		c.SetReadLimit(peer.MaxMessage)
		m := &member{conn: c.Conn}
		stop := peer.Heartbeat(m.ping)
		run(m)
		m.abort()
		stop()
	}, websocket.Config{ReadBufferSize: bufferSize, WriteBufferSize: bufferSize, WriteBufferPool: new(sync.Pool)})
}

func echo(m *member, kind int, p []byte) error { return m.conn.WriteMessage(kind, p) }

func ingest(_ *member, _ int, p []byte) error {
	batch.Add(p)
	return nil
}

// read reads until the end.
func (m *member) read(handle handler) {
	var in bytes.Buffer
	for {
		kind, r, err := m.conn.NextReader()
		if err != nil {
			return
		}
		in.Reset()
		if _, err := in.ReadFrom(r); err != nil {
			return
		}
		if err := handle(m, kind, in.Bytes()); err != nil {
			return
		}
	}
}
