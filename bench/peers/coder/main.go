// Command coder serves the benchmark with coder/websocket: messages read into memory that is used again, no deadlines.
// It has no way to frame a message once for many connections, and does not check text as UTF-8.
package main

import (
	"bytes"
	"context"
	"flag"
	"net/http"

	"github.com/coder/websocket"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

// handler handles a message, whose memory is used again.
type handler func(c *websocket.Conn, kind websocket.MessageType, p []byte) error

var (
	members peer.Members[*websocket.Conn]
	batch   peer.Batch
)

func main() {
	flag.Parse()
	mux := http.NewServeMux()
	mux.Handle("/echo", accept(func(c *websocket.Conn) { read(c, echo) }))
	mux.Handle("/broadcast", accept(func(c *websocket.Conn) {
		defer members.Join(c)()
		read(c, broadcast)
	}))
	mux.Handle("/ingest", accept(func(c *websocket.Conn) { read(c, ingest) }))
	peer.Serve(mux)
}

func accept(run func(*websocket.Conn)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		c.SetReadLimit(peer.MaxMessage)
		go func() { // so that what net/http holds is freed
			stop := peer.Heartbeat(func() error { return c.Ping(context.Background()) })
			run(c)
			_ = c.CloseNow()
			stop()
		}()
	})
}

// read reads until the end. A context that can be cancelled would cost a goroutine's wake-up or a timer a message.
func read(c *websocket.Conn, handle handler) {
	var in bytes.Buffer
	for {
		kind, r, err := c.Reader(context.Background())
		if err != nil {
			return
		}
		in.Reset()
		if _, err := in.ReadFrom(r); err != nil {
			return
		}
		if err := handle(c, kind, in.Bytes()); err != nil {
			return
		}
	}
}

func echo(c *websocket.Conn, kind websocket.MessageType, p []byte) error {
	return c.Write(context.Background(), kind, p)
}

func ingest(_ *websocket.Conn, _ websocket.MessageType, p []byte) error {
	batch.Add(p)
	return nil
}

func broadcast(_ *websocket.Conn, kind websocket.MessageType, p []byte) error {
	members.Each(func(c *websocket.Conn) { _ = c.Write(context.Background(), kind, p) })
	return nil
}
