package hub

import (
	"sync"
	"sync/atomic"
)

// overhead is what a message counts for in the budget besides its payload.
const overhead = 64

// budget bounds the bytes that all batches of a hub hold.
type budget struct {
	most int64 // 0: no bound
	used atomic.Int64

	mu    sync.Mutex
	moved chan struct{} // closed when some of it comes back; nil while nobody waits
}

// strained reports whether four fifths are used, so that nobody new is let in.
func (b *budget) strained() bool { return b.most > 0 && b.used.Load() >= b.most-b.most/5 }

// exhausted reports whether await would wait.
func (b *budget) exhausted() bool { return b.most > 0 && b.used.Load() >= b.most }

// wanted reports whether somebody waits for it.
func (b *budget) wanted() bool {
	if !b.exhausted() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.moved != nil
}

// await waits until there is some left, or done is closed. push is called before each wait: it makes some come back.
func (b *budget) await(done <-chan struct{}, push func()) {
	for {
		moved := b.wait()
		if moved == nil {
			return
		}
		push()
		select {
		case <-moved:
		case <-done:
			return
		}
	}
}

// wait returns a channel that is closed when something comes back, or nil when there is some left.
func (b *budget) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used.Load() < b.most {
		return nil
	}
	if b.moved == nil {
		b.moved = make(chan struct{})
	}
	return b.moved
}

func (b *budget) give(n int64) {
	b.used.Add(-n)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.moved != nil {
		close(b.moved)
		b.moved = nil
	}
}
