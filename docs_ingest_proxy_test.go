package wsx_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// cuts is how many connections a cutter cuts. Those after them it leaves alone.
const cuts = 6

// cutter is a proxy that cuts its connections.
type cutter struct {
	ln      net.Listener
	atNacks bool // cut each connection behind its first nack, and nowhere else

	mu      sync.Mutex
	backend string
	n       int
	open    []net.Conn
}

func newCutter(t *testing.T) *cutter {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &cutter{ln: ln}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.pass(nc) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		p.cut()
		serving.Wait()
	})
	return p
}

func (p *cutter) to(backend string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.backend = backend
}

func (p *cutter) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, nc := range p.open {
		_ = nc.Close()
	}
	p.open = nil
}

func (p *cutter) accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n
}

// pass copies both ways, until it has had enough.
func (p *cutter) pass(client net.Conn) {
	p.mu.Lock()
	p.n++
	n, backend := p.n, p.backend
	p.mu.Unlock()
	server, err := net.Dial("tcp", backend)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	p.open = append(p.open, client, server)
	p.mu.Unlock()
	up, down := io.Reader(client), io.Reader(server)
	switch {
	case n > cuts:
	case p.atNacks:
		down = &untilNack{from: server}
	default:
		up = io.LimitReader(client, 2000+rand.Int64N(20_000))
	}
	if n <= cuts && n%2 == 0 && !p.atNacks {
		down = io.LimitReader(server, 100+rand.Int64N(400)) // in the answer to the handshake, the hello or an ack
	}
	var both sync.WaitGroup
	for to, from := range map[net.Conn]io.Reader{server: up, client: down} {
		both.Go(func() {
			_, _ = io.Copy(to, from)
			_ = client.Close()
			_ = server.Close()
		})
	}
	both.Wait()
}

// untilNack ends behind the first nack and what is read together with it.
type untilNack struct {
	from io.Reader
	over bool
}

func (u *untilNack) Read(b []byte) (int, error) {
	if u.over {
		return 0, io.EOF
	}
	n, err := u.from.Read(b)
	u.over = bytes.Contains(b[:n], []byte(`"nack"`))
	return n, err
}
