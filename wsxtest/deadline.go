package wsxtest

import (
	"net"
	"os"
	"sync"
	"time"
)

// deadline bounds waits. It may change while somebody waits.
type deadline struct {
	mu      sync.Mutex
	at      time.Time // zero: none
	changed chan struct{}
}

func newDeadline() *deadline { return &deadline{changed: make(chan struct{})} }

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = t
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *deadline) get() (at time.Time, changed <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at, d.changed
}

// wait waits until that time, for ever when it is zero. It returns [os.ErrDeadlineExceeded] when the deadline comes
// first, and [net.ErrClosed] when closed is closed first.
func (d *deadline) wait(until time.Time, closed <-chan struct{}) error {
	for {
		at, changed := d.get()
		var err error
		if !at.IsZero() && (until.IsZero() || at.Before(until)) {
			err = os.ErrDeadlineExceeded
		} else {
			at = until
		}
		var over <-chan time.Time
		if !at.IsZero() {
			over = time.After(time.Until(at))
		}
		select {
		case <-closed:
			return net.ErrClosed
		case <-over:
			return err
		case <-changed:
		}
	}
}
