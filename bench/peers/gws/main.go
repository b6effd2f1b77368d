// Command gws serves the benchmark with lxzan/gws: one message of a connection at a time, text checked as UTF-8, and
// its Broadcaster, which encodes once and writes from a goroutine for each connection that has something to write.
package main

import (
	"flag"
	"net/http"

	"github.com/lxzan/gws"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

// handler answers pings, and hands messages on.
type handler struct {
	gws.BuiltinEventHandler
	message func(*gws.Conn, *gws.Message)
}

func (h *handler) OnPing(c *gws.Conn, payload []byte) { _ = c.WritePong(payload) }

func (h *handler) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	h.message(c, m)
}

var (
	members peer.Members[*gws.Conn]
	batch   peer.Batch
)

func main() {
	flag.Parse()
	mux := http.NewServeMux()
	mux.Handle("/echo", upgrade(echo, (*gws.Conn).ReadLoop))
	mux.Handle("/broadcast", upgrade(broadcast, func(c *gws.Conn) {
		defer members.Join(c)()
		c.ReadLoop()
	}))
	mux.Handle("/ingest", upgrade(ingest, (*gws.Conn).ReadLoop))
	peer.Serve(mux)
}

func upgrade(message func(*gws.Conn, *gws.Message), run func(*gws.Conn)) http.Handler {
	u := gws.NewUpgrader(&handler{message: message}, &gws.ServerOption{
		CheckUtf8Enabled: true, ReadMaxPayloadSize: peer.MaxMessage, WriteMaxPayloadSize: peer.MaxMessage,
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := u.Upgrade(w, r)
		if err != nil {
			return
		}
		go func() { // as its documentation says, so that what net/http holds is freed
			stop := peer.Heartbeat(func() error { return c.WritePing(nil) })
			run(c)
			stop()
		}()
	})
}

func echo(c *gws.Conn, m *gws.Message) { _ = c.WriteMessage(m.Opcode, m.Bytes()) }

func ingest(_ *gws.Conn, m *gws.Message) { batch.Add(m.Bytes()) }

func broadcast(_ *gws.Conn, m *gws.Message) {
	b := gws.NewBroadcaster(m.Opcode, append([]byte(nil), m.Bytes()...)) // it may outlive m
	defer b.Close()
	members.Each(func(c *gws.Conn) { _ = b.Broadcast(c) })
}
