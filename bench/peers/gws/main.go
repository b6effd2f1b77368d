// Command gws serves the benchmark with lxzan/gws.
package main

import (
	"flag"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/lxzan/gws"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

// handler is the echo; the other paths replace OnMessage.
type handler struct {
	gws.BuiltinEventHandler
	message     func(c *gws.Conn, m *gws.Message)
	open, close func(c *gws.Conn)
}

func (h *handler) OnOpen(c *gws.Conn) {
	if h.open != nil {
		h.open(c)
	}
	if *peer.PingInterval > 0 {
		go ping(c)
	}
}

func (h *handler) OnClose(c *gws.Conn, _ error) {
	if h.close != nil {
		h.close(c)
	}
}

func (h *handler) OnPing(c *gws.Conn, payload []byte) { _ = c.WritePong(payload) }

func (h *handler) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	h.message(c, m)
}

func ping(c *gws.Conn) {
	for {
		time.Sleep(*peer.PingInterval)
		if c.WritePing(nil) != nil {
			return
		}
	}
}

var (
	mu      sync.RWMutex
	members = make(map[*gws.Conn]struct{})
	batch   peer.Batch
)

func main() {
	flag.Parse()
	mux := http.NewServeMux()
	mux.Handle("/echo", upgrade(&handler{message: echo}))
	mux.Handle("/broadcast", upgrade(&handler{message: broadcast, open: join, close: leave}))
	mux.Handle("/ingest", upgrade(&handler{message: func(_ *gws.Conn, m *gws.Message) { batch.Add(m.Bytes()) }}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.Serve(peer.Listen()))
}

func upgrade(h *handler) http.Handler {
	u := gws.NewUpgrader(h, &gws.ServerOption{
		CheckUtf8Enabled: true, ReadMaxPayloadSize: peer.MaxMessage, WriteMaxPayloadSize: peer.MaxMessage,
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := u.Upgrade(w, r)
		if err != nil {
			return
		}
		go c.ReadLoop() // so that the stack of net/http is freed
	})
}

func echo(c *gws.Conn, m *gws.Message) { _ = c.WriteMessage(m.Opcode, m.Bytes()) }

func join(c *gws.Conn) {
	mu.Lock()
	members[c] = struct{}{}
	mu.Unlock()
}

func leave(c *gws.Conn) {
	mu.Lock()
	delete(members, c)
	mu.Unlock()
}

func broadcast(_ *gws.Conn, m *gws.Message) {
	b := gws.NewBroadcaster(m.Opcode, append([]byte(nil), m.Bytes()...))
	defer b.Close()
	mu.RLock()
	defer mu.RUnlock()
	for c := range members {
		_ = b.Broadcast(c)
	}
}
