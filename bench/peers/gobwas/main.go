// Command gobwas serves the benchmark with gobwas/ws.
package main

import (
	"bufio"
	"flag"
	"io"
	"log"
	"net"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

// member is a connection that several goroutines write to.
type member struct {
	nc net.Conn
	mu sync.Mutex
}

var (
	mu      sync.RWMutex
	members = make(map[*member]struct{})
	batch   peer.Batch
)

func main() {
	flag.Parse()
	ln := peer.Listen()
	for {
		nc, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(nc)
	}
}

func serve(nc net.Conn) {
	defer nc.Close()
	path := ""
	u := ws.Upgrader{OnRequest: func(uri []byte) error {
		path = string(uri)
		return nil
	}}
	if _, err := u.Upgrade(nc); err != nil {
		return
	}
	m := &member{nc: nc}
	if path == "/broadcast" {
		defer m.join()()
	}
	if *peer.PingInterval > 0 {
		go m.ping()
	}
	_ = m.read(path)
}

// read reads frames into a buffer that is used again. The load sends whole messages, so fragments are an error.
func (m *member) read(path string) error {
	in := bufio.NewReaderSize(m.nc, 4096)
	var payload []byte
	for {
		h, err := ws.ReadHeader(in)
		if err != nil {
			return err
		}
		if !h.Fin || h.Length > peer.MaxMessage {
			return ws.ErrProtocolNonZeroRsv
		}
		if n := int(h.Length); cap(payload) < n {
			payload = make([]byte, n)
		} else {
			payload = payload[:n]
		}
		if _, err := io.ReadFull(in, payload); err != nil {
			return err
		}
		ws.Cipher(payload, h.Mask, 0)
		if err := m.handle(path, h.OpCode, payload); err != nil {
			return err
		}
	}
}

func (m *member) handle(path string, op ws.OpCode, p []byte) error {
	switch {
	case op == ws.OpPing:
		return m.write(ws.OpPong, p)
	case op == ws.OpPong:
		return nil
	case op == ws.OpClose:
		_ = m.write(ws.OpClose, p)
		return io.EOF
	case path == "/ingest":
		batch.Add(p)
		return nil
	case path == "/broadcast":
		frame, err := ws.CompileFrame(ws.NewFrame(op, true, p))
		if err != nil {
			return err
		}
		mu.RLock()
		defer mu.RUnlock()
		for other := range members {
			other.raw(frame)
		}
		return nil
	default:
		return m.write(op, p)
	}
}

func (m *member) write(op ws.OpCode, p []byte) error {
	frame, err := ws.CompileFrame(ws.NewFrame(op, true, p))
	if err != nil {
		return err
	}
	m.raw(frame)
	return nil
}

func (m *member) raw(frame []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = m.nc.Write(frame)
}

func (m *member) ping() {
	for {
		time.Sleep(*peer.PingInterval)
		if m.write(ws.OpPing, nil) != nil {
			return
		}
	}
}

func (m *member) join() (leave func()) {
	mu.Lock()
	members[m] = struct{}{}
	mu.Unlock()
	return func() {
		mu.Lock()
		delete(members, m)
		mu.Unlock()
	}
}
