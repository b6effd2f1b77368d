// Command melody serves the benchmark with olahol/melody.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/olahol/melody"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

func main() {
	flag.Parse()
	var batch peer.Batch
	echo, broadcast, ingest := server(), server(), server()
	both(echo, func(s *melody.Session, p []byte) { _ = s.Write(p) }, func(s *melody.Session, p []byte) { _ = s.WriteBinary(p) })
	both(broadcast, func(_ *melody.Session, p []byte) { _ = broadcast.Broadcast(p) },
		func(_ *melody.Session, p []byte) { _ = broadcast.BroadcastBinary(p) })
	add := func(_ *melody.Session, p []byte) { batch.Add(p) }
	both(ingest, add, add)
	mux := http.NewServeMux()
	for path, m := range map[string]*melody.Melody{"/echo": echo, "/broadcast": broadcast, "/ingest": ingest} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { _ = m.HandleRequest(w, r) })
	}
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(s.Serve(peer.Listen()))
}

func server() *melody.Melody {
	m := melody.New()
	m.Config.MaxMessageSize = peer.MaxMessage
	m.Config.MessageBufferSize = 4096 // a burst overruns the default of 256, and melody drops what does not fit
	m.Upgrader.CheckOrigin = func(*http.Request) bool { return true }
	if *peer.PingInterval > 0 {
		m.Config.PingPeriod, m.Config.PongWait = *peer.PingInterval, 2**peer.PingInterval
	}
	return m
}

func both(m *melody.Melody, text, binary func(*melody.Session, []byte)) {
	m.HandleMessage(text)
	m.HandleMessageBinary(binary)
}
