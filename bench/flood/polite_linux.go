package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// pause is the time between two messages of one polite client.
const pause = 200 * time.Millisecond

// polite are clients that do nothing wrong: each sends a message every [pause], and reads its echo.
type polite struct {
	peers   []*peer
	began   time.Time
	stopped chan struct{}
	work    sync.WaitGroup

	sent, received atomic.Int64

	mu   sync.Mutex
	took *hdrhistogram.Histogram // in microseconds; nil: nobody wants to know
	errs []error
}

// connectPolite connects so many, and has them send.
func connectPolite(addr string, n int) (*polite, error) {
	p := &polite{began: time.Now(), stopped: make(chan struct{})}
	for i := range n {
		c, err := dial(addr, "/echo", nil)
		if err != nil {
			p.stop()
			return nil, fmt.Errorf("polite client %d: %w", i, err)
		}
		p.peers = append(p.peers, c)
		p.work.Go(func() { p.read(c) })
	}
	p.work.Go(p.send)
	return p, nil
}

// size is the payload of a message: the time of its writing, and some more.
const size = 64

// send writes the messages, evenly spread over the time.
func (p *polite) send() {
	gap := pause / time.Duration(len(p.peers))
	var payload [size]byte
	for i, due := 0, time.Now(); ; i, due = i+1, due.Add(gap) {
		select {
		case <-p.stopped:
			return
		case <-time.After(time.Until(due)):
		}
		binary.LittleEndian.PutUint64(payload[:], uint64(time.Since(p.began)))
		p.sent.Add(1)
		if err := p.peers[i%len(p.peers)].frame(finBinary, payload[:]); err != nil {
			p.fail(err)
			return
		}
	}
}

// read takes the echoes of one client.
func (p *polite) read(c *peer) {
	var frame [2 + size]byte
	for {
		if _, err := io.ReadFull(c.in, frame[:2]); err != nil {
			p.fail(err)
			return
		}
		n := int(frame[1] & 0x7F)
		if n > size {
			p.fail(fmt.Errorf("a frame of over %d bytes", size))
			return
		}
		if _, err := io.ReadFull(c.in, frame[2:2+n]); err != nil {
			p.fail(err)
			return
		}
		switch {
		case frame[0] == finPing:
			if err := c.frame(finPong, frame[2:2+n]); err != nil {
				p.fail(err)
				return
			}
		case frame[0] != finBinary || n != size:
			p.fail(fmt.Errorf("got % x", frame[:2+n]))
			return
		default:
			p.arrived(time.Since(p.began) - time.Duration(binary.LittleEndian.Uint64(frame[2:])))
		}
	}
}

func (p *polite) arrived(took time.Duration) {
	p.received.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.took != nil {
		_ = p.took.RecordValue(max(1, took.Microseconds()))
	}
}

func (p *polite) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.stopped: // it has hung up itself
	default:
		p.errs = append(p.errs, err)
	}
}

// record starts another histogram, and returns the one before.
func (p *polite) record() *hdrhistogram.Histogram {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.took
	p.took = hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)
	return before
}

// settled returns what went wrong for these clients so far. An echo that is late is one all the same: how late it was, the
// histogram says.
func (p *polite) settled() error {
	const patience = 10 * time.Second
	sent := p.sent.Load()
	for deadline := time.Now().Add(patience); p.received.Load() < sent && time.Now().Before(deadline); {
		<-time.After(10 * time.Millisecond)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if lost := sent - p.received.Load(); lost > 0 {
		p.errs = append(p.errs, fmt.Errorf("%d echoes of %d are missing", lost, sent))
	}
	if len(p.errs) > 3 {
		return errors.Join(append(p.errs[:3:3], fmt.Errorf("and %d more", len(p.errs)-3))...)
	}
	return errors.Join(p.errs...)
}

func (p *polite) stop() {
	p.mu.Lock()
	close(p.stopped)
	p.mu.Unlock()
	for _, c := range p.peers {
		_ = c.nc.(*net.TCPConn).SetLinger(0)
		_ = c.nc.Close()
	}
	p.work.Wait()
}
