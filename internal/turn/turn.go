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
// several at once. It holds a descriptor on Linux and two elsewhere, but only while turns are taken, and for a tenth of
// a second or two. Where the system has no way for it, or no descriptor left, nobody waits.
type Turns struct {
	mu    sync.Mutex
	way   *way
	taken bool         // a turn, since somebody looked
	slow  atomic.Bool  // the last turn was a long one
	rest  atomic.Int64 // until when nobody waits, in nanoseconds after begin
}

const (
	// long is a turn in a process in which something else can always run, so that Go only takes the look that it takes
	// every 10 ms.
	long = 5 * time.Millisecond
	// pause is how many times as long nobody waits after two of those: one may have another cause.
	pause = 20
	// linger is how long it is between two looks whether turns are taken still.
	linger = 100 * time.Millisecond
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
	t.taken = true
	if t.way == nil {
		if t.way = newWay(); t.way != nil {
			time.AfterFunc(linger, t.closeIdle)
		}
	}
	return t.way
}

// closeIdle gives the descriptors back, unless a turn was taken lately. Who waits for one nevertheless does so no
// longer.
func (t *Turns) closeIdle() {
	t.mu.Lock()
	w := t.way
	if t.taken {
		t.taken = false
		time.AfterFunc(linger, t.closeIdle)
		w = nil
	} else {
		t.way = nil
	}
	t.mu.Unlock()
	w.close()
}
