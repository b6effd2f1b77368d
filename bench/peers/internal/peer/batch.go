package peer

import (
	"sync"
	"sync/atomic"
	"time"
)

// Handled counts the messages of the batches.
var Handled atomic.Int64

const (
	batchItems = 500
	batchAge   = 100 * time.Millisecond
)

// Batch gathers messages as a server without wsx would: in a slice behind a mutex, handed over by number and by age.
// The zero value is empty. It is safe for concurrent use.
type Batch struct {
	mu    sync.Mutex
	items [][]byte
	timer *time.Timer
}

// Add adds a copy of p, for libraries that use the memory again.
func (b *Batch) Add(p []byte) { b.Take(append([]byte(nil), p...)) }

// Take adds p itself, for libraries that give each message memory of its own.
func (b *Batch) Take(p []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = append(b.items, p)
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
	handle(b.items)
	clear(b.items)
	b.items = b.items[:0]
}

func handle(items [][]byte) { Handled.Add(int64(len(items))) }
