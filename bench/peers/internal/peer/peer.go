// Package peer is what the servers that wsx is measured against have in common.
package peer

import (
	"flag"
	"fmt"
	"log"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// MaxMessage is the longest message that the servers take, in bytes.
const MaxMessage = 16 << 20

// Addr is the flag -addr.
var Addr = flag.String("addr", "127.0.0.1:9001", "`HOST:PORT` to listen on")

// PingInterval is the flag -ping-interval.
var PingInterval = flag.Duration("ping-interval", 0, "ping every `D`; 0: not at all")

// Listen listens on Addr and says so.
func Listen() net.Listener {
	ln, err := net.Listen("tcp", *Addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", *Addr)
	return ln
}

// Handled counts the messages of the batches.
var Handled atomic.Int64

const (
	batchItems = 500
	batchAge   = 100 * time.Millisecond
)

// Batch gathers messages as a server without wsx would: copies in a slice behind a mutex, handed over by number and
// by age.
type Batch struct {
	mu    sync.Mutex
	items [][]byte
	timer *time.Timer
}

// Add adds a copy of p.
func (b *Batch) Add(p []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = append(b.items, append([]byte(nil), p...))
	switch {
	case len(b.items) >= batchItems:
		b.flushLocked()
	case len(b.items) > 1:
	case b.timer == nil:
		b.timer = time.AfterFunc(batchAge, b.flush)
	default:
		b.timer.Reset(batchAge)
	}
}

func (b *Batch) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flushLocked()
}

func (b *Batch) flushLocked() {
	Handled.Add(int64(len(b.items)))
	b.items = b.items[:0]
}
