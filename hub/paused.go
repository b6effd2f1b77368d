package hub

import (
	"sync/atomic"
	"time"
)

// pauses counts connections that are not read because what they have sent has no room.
type pauses struct {
	now  atomic.Int64
	all  atomic.Uint64
	took atomic.Int64 // those that are over
}

// begin counts one that begins. Its end is to be told.
func (p *pauses) begin() (end func()) {
	p.now.Add(1)
	p.all.Add(1)
	start := time.Now()
	return func() {
		p.took.Add(int64(time.Since(start)))
		p.now.Add(-1)
	}
}
