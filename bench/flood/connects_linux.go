package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// heapSlack is how much more heap there may be: what pools keep, and maps that have grown.
const heapSlack = 4 << 20

// kind is a way in which a connection ends.
type kind struct {
	name string
	life func(addr string) error
}

// kinds are all the ways.
func kinds() []kind {
	return []kind{
		{"clean close", func(addr string) error {
			return onConn(addr, "/echo", func(p *peer) error {
				_ = p.frame(finClose, []byte{3, 232})
				return wantFate(p, "1000")
			})
		}},
		{"reset", func(addr string) error {
			return onConn(addr, "/echo", func(*peer) error { return nil })
		}},
		{"mid-handshake", func(addr string) error {
			nc, err := open(addr, false)
			if err != nil {
				return err
			}
			_, err = io.WriteString(nc, request("/echo")[:60])
			reset(nc)
			return err
		}},
		{"mid-frame", func(addr string) error {
			return onConn(addr, "/echo", func(p *peer) error {
				_, err := p.nc.Write(appendFrame(nil, finBinary, make([]byte, 100))[:40])
				return err
			})
		}},
		{"handler panics", func(addr string) error {
			return onConn(addr, "/panic", func(p *peer) error {
				_ = p.frame(finBinary, make([]byte, size))
				return wantFate(p, "1011")
			})
		}},
	}
}

// onConn connects, and resets the connection after f.
func onConn(addr, path string, f func(p *peer) error) error {
	p, err := dial(addr, path, func() (net.Conn, error) { return open(addr, false) })
	if err != nil {
		return err
	}
	defer p.reset()
	return f(p)
}

func wantFate(p *peer, want string) error {
	if got := p.fate(time.Now().Add(10 * time.Second)); got != want {
		return fmt.Errorf("ended with %s, want %s", got, want)
	}
	return nil
}

// connectAll connects in every way, and compares what the server holds before and after.
func connectAll(ctx context.Context, o options, binary string) error {
	s, err := serve(ctx, binary, o.cores, 0)
	if err != nil {
		return err
	}
	defer s.stop()
	for _, k := range kinds() { // what is made once, and the pools
		if err := connectMany(ctx, s, k, 200); err != nil {
			return err
		}
	}
	base, err := s.back(ctx, state{})
	if err != nil {
		return err
	}
	var rows [][]string
	failed := error(nil)
	for _, k := range kinds() {
		fmt.Fprintf(os.Stderr, "\r\033[K%d connects: %s", o.connects, k.name)
		began := time.Now()
		if err := connectMany(ctx, s, k, o.connects); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		took := time.Since(began)
		now, err := s.back(ctx, base)
		if err != nil {
			failed = err
		}
		rows = append(rows, stateRow(k.name, o.connects, took, base, now, err))
	}
	fmt.Fprint(os.Stderr, "\r\033[K")
	printTable(os.Stdout, o.markdown, []string{
		"connects", "number", "seconds", "goroutines", "descriptors", "heap KiB", "verdict",
	}, rows)
	return failed
}

func stateRow(name string, n int, took time.Duration, base, now state, err error) []string {
	verdict := "back"
	if err != nil {
		verdict = "MISSED: " + err.Error()
	}
	return []string{
		name, fmt.Sprint(n), fmt.Sprintf("%.1f", took.Seconds()), fmt.Sprintf("%d → %d", base.Goroutines, now.Goroutines),
		fmt.Sprintf("%d → %d", base.Descriptors, now.Descriptors),
		fmt.Sprintf("%d → %d", base.HeapAlloc>>10, now.HeapAlloc>>10), verdict,
	}
}

// connectMany lives so many lives of a kind.
func connectMany(ctx context.Context, s *server, k kind, n int) error {
	var next atomic.Int64
	var work sync.WaitGroup
	var once sync.Once
	var failed error
	for range 32 {
		work.Go(func() {
			for next.Add(1) <= int64(n) && ctx.Err() == nil {
				if err := k.life(s.addr); err != nil {
					once.Do(func() { failed = err })
					return
				}
			}
		})
	}
	work.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return failed
}

// back waits until the server holds no more than the base, and returns what it holds then. fasthttp keeps its idle
// workers for ten seconds, and the closing of a connection may take five. Without a base it returns what stays.
func (s *server) back(ctx context.Context, base state) (now state, err error) {
	const settled = 30 * time.Second
	for end := time.Now().Add(settled); ; {
		if err = s.alive(); err != nil {
			return now, err
		}
		if now, err = s.state(ctx); err != nil {
			return now, err
		}
		if now.within(base) {
			return now, nil
		}
		if time.Now().After(end) {
			break
		}
		if err := rest(ctx, time.Second); err != nil {
			return now, err
		}
	}
	if base == (state{}) {
		return now, nil
	}
	return now, errNotBack
}

func (s state) within(base state) bool {
	return s.Goroutines <= base.Goroutines && s.Descriptors <= base.Descriptors && s.HeapAlloc <= base.HeapAlloc+heapSlack
}
