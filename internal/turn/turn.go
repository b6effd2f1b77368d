// Package turn lets those go first whose sockets are ready.
//
// Go looks at its poller when nothing else can run. While a few goroutines have much to do, such as to inflate one
// message after the other, everybody whose input comes meanwhile waits until they are done, or for the look that is
// taken every 10 ms in any case; runtime.Gosched changes nothing about that.
package turn

import (
	"sync"
	"sync/atomic"
	"time"
)

// Turns are taken by goroutines that have much to do, before each part of it. The zero value is ready for use, by
// several at once. From the first turn on it holds a descriptor on Linux and two elsewhere, until Close is called or
// the garbage collector has it. Where the system has no way for it, or no descriptor left, nobody waits.
type Turns struct {
	mu   sync.Mutex
	way  *way
	slow atomic.Bool  // the last turn was a long one
	rest atomic.Int64 // until when nobody waits, in nanoseconds after begin
}

const (
	// long is a turn in a process in which something else can always run, so that Go only takes the look that it takes
	// every 10 ms.
	long = 5 * time.Millisecond
	// pause is how many times as long nobody waits after two of those: one may have another cause.
	pause = 20
)

// begin is what times are measured from, so that the clock is a monotonic one.
var begin = time.Now()

// Take waits until those have run whose sockets are ready, and for its turn: of many goroutines that take one at the
// same time, one goes on whenever Go has looked at its poller. It takes some microseconds. Where a look is long in
// coming, because the process has more to compute than processors, a tenth of the time at most is spent on it.
func (t *Turns) Take() {
	if int64(time.Since(begin)) < t.rest.Load() {
		return
	}
	waited := t.open().wait()
	if slow := waited >= long; t.slow.Swap(slow) && slow {
		t.rest.Store(int64(time.Since(begin) + pause*waited))
	}
}

func (t *Turns) open() *way {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.way == nil {
		t.way = newWay()
	}
	return t.way
}

// Close gives the descriptors back. Who waits does so no longer; the next turn takes new ones.
func (t *Turns) Close() {
	t.mu.Lock()
	w := t.way
	t.way = nil
	t.mu.Unlock()
	w.close()
}
