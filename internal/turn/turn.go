// Package turn lets those go first whose sockets are ready.
//
// Go looks at its poller when nothing else can run. While a few goroutines have much to do, such as to inflate one
// message after the other, everybody whose input comes meanwhile waits until they are done, or for the look that is
// taken every 10 ms in any case; runtime.Gosched changes nothing about that.
package turn

import "sync"

// Turns are taken by goroutines that have much to do, before each part of it. The zero value is ready for use, by
// several at once. From the first turn on it holds two descriptors, which the garbage collector closes. Where the
// system has no way for it, or no descriptor left, nobody waits.
type Turns struct {
	once sync.Once
	way  *way
}

// Take waits until those have run whose sockets are ready, and for its turn: of many goroutines that take one at the
// same time, one goes on whenever Go has looked at its poller. It takes some microseconds.
func (t *Turns) Take() {
	t.once.Do(func() { t.way = newWay() })
	t.way.wait()
}
