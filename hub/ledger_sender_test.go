package hub_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/wsxtest"
)

// sender is a device that follows the protocol: it keeps what is not acknowledged, and sends that again.
type sender struct {
	t     *testing.T
	name  string
	total uint64
	pause func() time.Duration // between two messages
	check func(acked uint64)   // of each ack
	// padding is how long messages are at least.
	padding int

	mu    sync.Mutex
	sent  uint64 // the largest number
	acked uint64
	nacks int
}

// visit is what happens on one connection. It returns when everything is acknowledged, or the connection has ended.
func (d *sender) visit(c *wsxtest.Client) (done bool) {
	greeted, gone, moved := make(chan uint64, 1), make(chan struct{}), make(chan struct{}, 1)
	pings := make(chan []byte, 4)
	go func() {
		defer close(gone)
		for d.hear(c, greeted, pings) {
			select {
			case moved <- struct{}{}:
			default:
			}
		}
	}()
	defer func() { _ = c.Conn().Close(); <-gone }()
	select {
	case next := <-greeted:
		if !d.send(c, next, pings) {
			return false
		}
	case <-gone:
		return false
	}
	for {
		if d.finished() {
			return true
		}
		select {
		case <-moved:
		case p := <-pings:
			_ = c.Frame(true, wire.OpPong, p)
		case <-gone:
			return d.finished()
		}
	}
}

func (d *sender) finished() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.acked == d.total
}

// send sends all from a number on. False: the connection has ended.
func (d *sender) send(c *wsxtest.Client, next uint64, pings <-chan []byte) bool {
	for n := next; n <= d.total; n++ {
		select {
		case p := <-pings:
			_ = c.Frame(true, wire.OpPong, p)
		default:
		}
		d.mu.Lock()
		d.sent = max(d.sent, n)
		d.mu.Unlock()
		if err := c.Frame(true, wire.OpText, fmt.Appendf(nil, "%-*d", d.padding, n)); err != nil {
			return false
		}
		if d.pause != nil {
			nap(d.pause())
		}
	}
	return true
}

// hear reads one frame. False: it was the last one.
func (d *sender) hear(c *wsxtest.Client, greeted chan<- uint64, pings chan<- []byte) bool {
	f, err := c.ReadFrame()
	switch {
	case isTimeout(err):
		return true
	case err != nil || f.Op == wire.OpClose:
		return false
	case f.Op == wire.OpPing:
		select {
		case pings <- f.Payload:
		default: // the server does not read
		}
		return true
	}
	var n note
	if err := json.Unmarshal(f.Payload, &n); err != nil {
		d.t.Errorf("%s: got %q", d.name, f.Payload)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case n.WSX == "hello" && (n.Next <= d.acked || n.Next > d.sent+1):
		d.t.Errorf("%s: hello %+v, but %d were sent and %d acknowledged", d.name, n, d.sent, d.acked)
	case n.WSX == "hello":
		d.acked = n.Next - 1
		greeted <- n.Next
	case n.WSX == "nack":
		d.nacks++
	case n.Seq <= d.acked || n.Seq > d.sent:
		d.t.Errorf("%s: got %+v, but %d were sent and %d acknowledged", d.name, n, d.sent, d.acked)
	default:
		d.acked = n.Seq
	}
	if d.check != nil {
		d.check(d.acked)
	}
	return true
}
