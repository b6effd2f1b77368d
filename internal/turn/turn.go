// Package turn lets goroutines whose sockets are ready run before one that has much to do.
//
// Go's scheduler polls the network when it finds nothing else to run, and every 10 ms in any case. While a few
// goroutines are busy, such as inflating one message after the other, everybody whose input arrives waits for that;
// runtime.Gosched changes nothing, because it only lets the busy ones alternate.
package turn

import (
	"sync"
	"sync/atomic"
	"time"
)

// Turns are taken by goroutines that have much to do, before each part of it. The zero value is ready for use, by
// several goroutines at once. It holds one descriptor on Linux and two on other Unix systems, from the first turn until
// 0.1 to 0.2 s after the last one. On systems without a way to do it, and in a process without a descriptor left,
// nobody waits.
type Turns struct {
	mu    sync.Mutex
	way   *way         // nil: no descriptor is held
	taken atomic.Bool  // a turn was, since closeIdle last looked
	slow  atomic.Bool  // the last turn took long
	rest  atomic.Int64 // until then Take returns at once, in nanoseconds after begin
}

const (
	// long is how long a turn takes at least where something else can always run: Go only polls every 10 ms there.
	long = 5 * time.Millisecond
	// pause is how many times as long as the second of two such turns in a row nobody waits after it. A single one may
	// have another cause, as may two in which the process had less than a quarter of a processor.
	pause = 20
	// linger is how long the descriptor is kept without a turn, at least, and the time between two looks at that.
	linger = 100 * time.Millisecond
)

// begin is what rest counts from: a difference of two times is monotonic, whatever happens to the wall clock. The clock
// of a testing/synctest bubble is behind it by years, so nobody waits for a turn there.
var begin = time.Now()

// Take waits until Go has polled the network, so that goroutines whose sockets are ready run first. Of many that call
// it at once, one goes on after each poll. It costs some microseconds. Where polls are seldom, because the process has
// more to compute than processors, no more than a tenth of the time is spent waiting for them.
func (t *Turns) Take() {
	if !t.taken.Load() {
		t.taken.Store(true)
	}
	if t.rests() {
		return
	}
	waited, computed := t.open().wait(t)
	if waited == 0 {
		return
	}
	if slow := waited >= long; t.slow.Swap(slow) && slow && computed >= waited/4 {
		t.rest.Store(int64(time.Since(begin) + pause*waited))
	}
}

// rests reports whether turns are not waited for now.
func (t *Turns) rests() bool { return int64(time.Since(begin)) < t.rest.Load() }

// open returns the way, or nil when there is none.
func (t *Turns) open() *way {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.way == nil {
		if t.way = newWay(); t.way != nil {
			time.AfterFunc(linger, t.closeIdle)
		}
	}
	return t.way
}

// closeIdle gives the descriptors back when no turn was taken since it last looked, else it looks again later. To close
// them ends a turn that is being waited for.
func (t *Turns) closeIdle() {
	t.mu.Lock()
	w := t.way
	if t.taken.Swap(false) {
		time.AfterFunc(linger, t.closeIdle)
		w = nil
	} else {
		t.way = nil
	}
	t.mu.Unlock()
	w.close()
}
