// Package peer is what the servers that wsx is measured against have in common.
package peer

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"
)

// MaxMessage is the longest message that the servers take, in bytes.
const MaxMessage = 16 << 20

// ReadTimeout is how long a client may take for its handshake.
const ReadTimeout = 5 * time.Second

var addr = flag.String("addr", "127.0.0.1:9001", "`HOST:PORT` to listen on")

// PingInterval is the flag -ping-interval, which the servers without a heartbeat take and pass over.
var PingInterval = flag.Duration("ping-interval", 0, "ping every `D`, in servers with a heartbeat; 0: as the library does by itself")

// Listen listens where the flag -addr says, and tells so. Where it cannot it ends the program. The flags are parsed.
func Listen() net.Listener {
	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", ln.Addr())
	return ln
}

// Serve serves with net/http, over TLS when the flags say so, and never returns.
func Serve(h http.Handler) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: ReadTimeout}
	log.Fatal(s.Serve(Secure(Listen())))
}

// Accept runs serve in a goroutine of its own for each connection, and never returns. There is no TLS.
func Accept(serve func(net.Conn)) {
	if *certFile != "" {
		log.Fatal("-tls-cert: this server has no TLS")
	}
	ln := Listen()
	for {
		nc, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(nc)
	}
}
