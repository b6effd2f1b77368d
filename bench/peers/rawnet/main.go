// Command rawnet is the limit of plain net.Conn: a goroutine a connection, and no more WebSocket than moves the bytes.
package main

import (
	"flag"
	"log"
	"net"
	"sync"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

const bufferSize = 32 << 10

var (
	mu      sync.RWMutex
	members = make(map[net.Conn]struct{})
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
	path, err := peer.Upgrade(nc)
	if err != nil {
		return
	}
	if path == "/broadcast" {
		join(nc)
		defer leave(nc)
	}
	in, have := make([]byte, bufferSize), 0
	var out []byte
	for {
		if have == len(in) {
			in = append(in, make([]byte, len(in))...)
		}
		n, err := nc.Read(in[have:])
		if err != nil {
			return
		}
		have += n
		used := 0
		out, used = handle(in[:have], out[:0], path)
		have = copy(in, in[used:have])
		if len(out) > 0 && !send(nc, path, out) {
			return
		}
	}
}

// handle appends the answers to out, and returns how much of b is used.
func handle(b, out []byte, path string) ([]byte, int) {
	used := 0
	for {
		f := peer.Next(b[used:])
		if f.Size == 0 {
			return out, used
		}
		used += f.Size
		switch {
		case f.Op == 9:
			out = peer.AppendFrame(out, 10, f.Payload)
		case f.Op > 8:
		case path == "/ingest":
			peer.Handled.Add(1)
		default:
			out = peer.AppendFrame(out, f.Op, f.Payload)
		}
	}
}

func send(nc net.Conn, path string, out []byte) bool {
	if path != "/broadcast" {
		_, err := nc.Write(out)
		return err == nil
	}
	mu.RLock()
	defer mu.RUnlock()
	for other := range members {
		_, _ = other.Write(out)
	}
	return true
}

func join(nc net.Conn) {
	mu.Lock()
	members[nc] = struct{}{}
	mu.Unlock()
}

func leave(nc net.Conn) {
	mu.Lock()
	delete(members, nc)
	mu.Unlock()
}
