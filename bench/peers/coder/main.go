// Command coder serves the benchmark with coder/websocket.
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

var (
	mu      sync.RWMutex
	members = make(map[*websocket.Conn]struct{})
	batch   peer.Batch
)

func main() {
	flag.Parse()
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", serve(func(ctx context.Context, c *websocket.Conn, kind websocket.MessageType, p []byte) error {
		return c.Write(ctx, kind, p)
	}))
	mux.HandleFunc("/broadcast", serve(broadcast))
	mux.HandleFunc("/ingest", serve(func(_ context.Context, _ *websocket.Conn, _ websocket.MessageType, p []byte) error {
		batch.Add(p)
		return nil
	}))
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(s.Serve(peer.Listen()))
}

func serve(handle func(context.Context, *websocket.Conn, websocket.MessageType, []byte) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(peer.MaxMessage)
		ctx := context.Background() // the request's own has ended with the hijack
		if r.URL.Path == "/broadcast" {
			defer join(c)()
		}
		if *peer.PingInterval > 0 {
			go ping(ctx, c)
		}
		for {
			kind, p, err := c.Read(ctx)
			if err != nil {
				return
			}
			if err := handle(ctx, c, kind, p); err != nil {
				return
			}
		}
	}
}

func ping(ctx context.Context, c *websocket.Conn) {
	for {
		time.Sleep(*peer.PingInterval)
		if c.Ping(ctx) != nil {
			return
		}
	}
}

func join(c *websocket.Conn) (leave func()) {
	mu.Lock()
	members[c] = struct{}{}
	mu.Unlock()
	return func() {
		mu.Lock()
		delete(members, c)
		mu.Unlock()
	}
}

func broadcast(ctx context.Context, _ *websocket.Conn, kind websocket.MessageType, p []byte) error {
	mu.RLock()
	defer mu.RUnlock()
	for c := range members {
		_ = c.Write(ctx, kind, p)
	}
	return nil
}
