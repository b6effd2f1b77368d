// Command melody serves the benchmark with olahol/melody, which has a goroutine that writes and a queue for it for each
// connection. Its heartbeat is always on: every 54 s where -ping-interval says nothing else.
package main

import (
	"flag"
	"net/http"

	"github.com/olahol/melody"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

// handler handles a message. The memory is its own.
type handler func(s *melody.Session, p []byte)

func main() {
	flag.Parse()
	var batch peer.Batch
	add := func(_ *melody.Session, p []byte) { batch.Take(p) }
	mux := http.NewServeMux()
	serve(mux, "/echo", func(*melody.Melody) (text, binary handler) {
		return func(s *melody.Session, p []byte) { _ = s.Write(p) },
			func(s *melody.Session, p []byte) { _ = s.WriteBinary(p) }
	})
	serve(mux, "/broadcast", func(m *melody.Melody) (text, binary handler) {
		return func(_ *melody.Session, p []byte) { _ = m.Broadcast(p) },
			func(_ *melody.Session, p []byte) { _ = m.BroadcastBinary(p) }
	})
	serve(mux, "/ingest", func(*melody.Melody) (text, binary handler) { return add, add })
	peer.Serve(mux)
}

func serve(mux *http.ServeMux, path string, handlers func(*melody.Melody) (text, binary handler)) {
	m := melody.New()
	m.Config.MaxMessageSize = peer.MaxMessage
	if d := *peer.PingInterval; d > 0 {
		m.Config.PingPeriod, m.Config.PongWait = d, 2*d
	}
	m.Upgrader.ReadBufferSize, m.Upgrader.WriteBufferSize = 0, 0 // those of net/http serve on: 4 KiB instead of 1
	text, binary := handlers(m)
	m.HandleMessage(text)
	m.HandleMessageBinary(binary)
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { _ = m.HandleRequest(w, r) })
}
