//go:build unix

package turn

import (
	"runtime"
	"sync"
	"time"
)

// waiter is a goroutine that waits for its turn.
type waiter struct {
	way      *way
	turns    *Turns
	asked    time.Time     // when the way's descriptor was made ready; zero: it was not
	computed time.Duration // by the process meanwhile; 0 unless the turn before was slow
	look     func(fd uintptr) bool
}

var waiters = sync.Pool{New: func() any {
	r := new(waiter)
	r.look = r.lookAt // bound once: a turn allocates nothing
	return r
}}

// wait makes the way's descriptor ready and parks the goroutine until Go's poller sees that, and with it every other
// socket that is ready by then, and until those have run. It returns how long that took, without the time that other
// waiters took before it: Go lets one goroutine at a time read a descriptor. After a slow turn it also returns for how
// long the process computed meanwhile. It returns 0 at once when w is nil or closed, and when t rests by the time that
// those waiters are done.
func (w *way) wait(t *Turns) (waited, computed time.Duration) {
	if w == nil {
		return 0, 0
	}
	r := waiters.Get().(*waiter)
	defer waiters.Put(r)
	r.way, r.turns, r.asked, r.computed = w, t, time.Time{}, 0
	_ = w.raw.Read(r.look)
	r.way, r.turns = nil, nil
	if r.asked.IsZero() {
		return 0, 0
	}
	runtime.Gosched() // of all that a poll has found ready Go runs the last one first, which is this one
	if r.computed != 0 {
		r.computed += processTime()
	}
	return time.Since(r.asked), r.computed
}

// lookAt is called again when fd is ready, if it has returned false.
func (r *waiter) lookAt(fd uintptr) bool {
	if !r.asked.IsZero() {
		r.way.used(fd)
		return true
	}
	if r.turns.rests() {
		return true
	}
	r.asked = time.Now()
	if r.turns.slow.Load() {
		r.computed = -processTime()
	}
	return r.way.ready(fd) != nil
}
