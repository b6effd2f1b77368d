//go:build unix

package turn

import "time"

// wait makes the way's descriptor ready and parks the goroutine until Go's poller sees that, and with it every other
// socket that is ready by then. It returns how long that took, without the time that other waiters took before it: Go
// lets one goroutine at a time read a descriptor. It returns 0 at once when w is nil or closed, and when t rests by the
// time that those waiters are done.
func (w *way) wait(t *Turns) time.Duration {
	if w == nil {
		return 0
	}
	var asked time.Time
	_ = w.raw.Read(func(fd uintptr) bool { // is called again when fd is ready, if it has returned false
		if !asked.IsZero() {
			w.used(fd)
			return true
		}
		if t.rests() {
			return true
		}
		asked = time.Now()
		return w.ready(fd) != nil
	})
	if asked.IsZero() {
		return 0
	}
	return time.Since(asked)
}
