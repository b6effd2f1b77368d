package main

import (
	"flag"
	"log"
	"net"
	"runtime"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
)

func main() {
	flag.Parse()
	loops := make([]*loop, runtime.GOMAXPROCS(0))
	for i := range loops {
		l, err := newLoop()
		if err != nil {
			log.Fatal(err)
		}
		loops[i] = l
	}
	for _, l := range loops {
		l.others = without(loops, l)
		go l.run()
	}
	var next atomic.Uint32
	peer.Accept(func(nc net.Conn) {
		defer nc.Close() // the loop has a descriptor of its own
		if c, err := upgrade(nc); err == nil {
			loops[int(next.Add(1))%len(loops)].add(c)
		}
	})
}

func without(loops []*loop, l *loop) (others []*loop) {
	for _, other := range loops {
		if other != l {
			others = append(others, other)
		}
	}
	return others
}

// upgrade answers the handshake and duplicates the descriptor, so that Go's poller lets go of it.
func upgrade(nc net.Conn) (*conn, error) {
	path, err := peer.Upgrade(nc)
	if err != nil {
		return nil, err
	}
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &conn{path: path}
	if cerr := raw.Control(func(fd uintptr) { c.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 3) }); cerr != nil {
		return nil, cerr
	}
	return c, err
}
