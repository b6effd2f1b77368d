package turn

import (
	"sync/atomic"
	"time"
)

// Burst is for pieces of work of which many may be due at once, such as handshakes. Go runs all that is ready before it
// polls the network again: somebody whose input arrives behind a hundred of them waits for all, however short each is.
// So those that follow one another for long take turns. The zero value is ready for use, by several goroutines at once.
type Burst struct {
	since atomic.Int64 // when its first piece began, in nanoseconds after begin, or the first one after a turn
	last  atomic.Int64 // when the last one came
}

const (
	// mostBurst is how long pieces may follow one another without a turn, which costs a twentieth of that.
	mostBurst = 50 * time.Microsecond
	// apart is how much later than the one before it a piece comes that does not follow it: Go polls as often.
	apart = 10 * time.Millisecond
)

// Piece is called before a piece of work, and takes a turn when one is due.
func (b *Burst) Piece(take func()) { b.piece(take, age) }

func (b *Burst) piece(take func(), age func() int64) {
	now := age()
	switch last := b.last.Swap(now); {
	case now-last >= int64(apart):
		b.since.Store(now)
	case now-b.since.Load() >= int64(mostBurst):
		take()
		now = age()
		b.last.Store(now)
		b.since.Store(now)
	}
}

// age returns what time it is, in nanoseconds after begin.
func age() int64 { return int64(time.Since(begin)) }
