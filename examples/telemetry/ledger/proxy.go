package main

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	cutOneIn   = 60 // pieces
	stallOneIn = 40
	stallTime  = 1500 * time.Millisecond // the longest
)

// proxy is a bad network in front of the server. It splits what passes it anywhere, lets it wait, and cuts connections
// off in the middle of a piece, half of them with a reset.
type proxy struct {
	ln     net.Listener
	target string
	good   atomic.Bool // from calm on
	conns  atomic.Int64
	cuts   atomic.Int64
	stalls atomic.Int64
	splits atomic.Int64
	done   sync.WaitGroup

	mu   sync.Mutex
	open map[*link]bool // nil when closed
}

// link is a connection through the proxy.
type link struct {
	near, far net.Conn
	once      sync.Once
}

func startProxy(target string) (*proxy, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{ln: ln, target: target, open: make(map[*link]bool)}
	p.done.Go(p.accept)
	return p, nil
}

func (p *proxy) address() string { return p.ln.Addr().String() }

// calm has nothing go wrong any more.
func (p *proxy) calm() { p.good.Store(true) }

func (p *proxy) close() {
	_ = p.ln.Close()
	p.mu.Lock()
	open := p.open
	p.open = nil
	p.mu.Unlock()
	for l := range open {
		l.end(false)
	}
	p.done.Wait()
}

func (p *proxy) accept() {
	for {
		near, err := p.ln.Accept()
		if err != nil {
			return
		}
		far, err := net.DialTimeout("tcp", p.target, time.Second)
		if err != nil { // the server is down
			_ = near.Close()
			continue
		}
		p.conns.Add(1)
		p.connect(&link{near: near, far: far})
	}
}

func (p *proxy) connect(l *link) {
	p.mu.Lock()
	if p.open == nil {
		l.end(false)
	} else {
		p.open[l] = true
	}
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.pass(l, l.far, l.near) })
	both.Go(func() { p.pass(l, l.near, l.far) })
	p.done.Go(func() {
		both.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, l)
	})
}

// pass hands on what comes from one side, until the link ends.
func (p *proxy) pass(l *link, to io.Writer, from io.Reader) {
	defer l.end(false)
	buffer := make([]byte, 4<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		for rest := buffer[:n]; len(rest) > 0; {
			piece := rest
			if !p.good.Load() {
				piece = rest[:1+rand.N(len(rest))]
				if p.spoil(l, to, piece) {
					return
				}
			}
			if _, err := to.Write(piece); err != nil {
				return
			}
			rest = rest[len(piece):]
		}
	}
}

// spoil may do something about a piece. It reports whether that was to end the link.
func (p *proxy) spoil(l *link, to io.Writer, piece []byte) (ended bool) {
	switch {
	case rand.N(cutOneIn) == 0:
		p.cuts.Add(1)
		_, _ = to.Write(piece[:rand.N(len(piece))])
		l.end(rand.N(2) == 0)
		return true
	case rand.N(stallOneIn) == 0:
		p.stalls.Add(1)
		time.Sleep(rand.N(stallTime))
	default:
		p.splits.Add(1)
	}
	return false
}

// end closes both sides, or resets them: then what is on its way is gone.
func (l *link) end(reset bool) {
	l.once.Do(func() {
		for _, c := range []net.Conn{l.near, l.far} {
			if tcp, ok := c.(*net.TCPConn); ok && reset {
				_ = tcp.SetLinger(0)
			}
			_ = c.Close()
		}
	})
}
