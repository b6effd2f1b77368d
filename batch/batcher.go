package batch

import (
	"context"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// Func handles one batch. It returns nil when the batch is done with, say committed; an error, a panic and a
// [runtime.Goexit] all mean that the whole batch is tried again. ctx is cancelled when Config.Timeout has passed or
// the context of [Batcher.Close] has ended; what the function returns decides even then. Nothing of b may be kept.
type Func[T any] func(ctx context.Context, b *Batch[T]) error

// Batcher hands what is added to its lanes to one function, in batches. Make one with [New].
//
// Lock order: a lane's mu, then the Batcher's; never two lanes' at once, and neither across a callback.
type Batcher[T any] struct {
	cfg   Config
	fn    Func[T]
	hooks Hooks[T]
	start time.Time     // ages are measured from here
	slack time.Duration // how much too early a batch may be handed over, to save timer ticks

	ctx    context.Context // the handlers'; cancelled when the context of Close ends
	cancel context.CancelCauseFunc

	shared   []*Lane[T]
	counters []counter
	turn     atomic.Uint32 // which counter the next lane of its own gets

	rows    pool[row[T]]
	slabs   pool[byte]
	batches sync.Pool // of *Batch[T], without rows and slab
	waiters sync.Pool // of *node[waiter[T]], in no list

	closed atomic.Bool   // set under mu; no batch begins after it
	idle   chan struct{} // closed when closed and no goroutine is left

	mu     sync.Mutex
	active list[*Lane[T]] // the lanes that hold anything
	ages   list[age[T]]   // the batches that fill and are not due yet, oldest first
	timer  *time.Timer    // for the oldest of ages
	armed  bool           // timer will fire, or its function runs
	live   int            // goroutines: runners, the armed timer, the Close that shuts
	total  totals
}

// New returns a Batcher that hands batches to fn. It starts nothing; the first Add does. It panics when fn is nil or
// cfg cannot work.
func New[T any](cfg Config, fn Func[T]) *Batcher[T] { return NewWithHooks(cfg, fn, Hooks[T]{}) }

// NewWithHooks is New for those who want to know what becomes of each item.
func NewWithHooks[T any](cfg Config, fn Func[T], hooks Hooks[T]) *Batcher[T] {
	if fn == nil {
		panic("batch: New needs a handler: pass a func(ctx context.Context, b *batch.Batch[T]) error that stores the batch")
	}
	cfg = cfg.withDefaults()
	b := &Batcher[T]{
		cfg:      cfg,
		fn:       fn,
		hooks:    hooks,
		start:    time.Now(),
		slack:    min(cfg.MaxAge/100, time.Millisecond),
		shared:   make([]*Lane[T], cfg.Lanes),
		counters: make([]counter, cfg.Lanes),
		idle:     make(chan struct{}),
	}
	b.ctx, b.cancel = context.WithCancelCause(context.Background())
	for i := range b.shared {
		b.shared[i] = newLane(b, &b.counters[i])
	}
	return b
}

// Add adds an item without a payload to the first shared lane, so all that is added this way keeps one order. See
// [Lane.Add].
func (b *Batcher[T]) Add(ctx context.Context, item T) error {
	return b.shared[0].Add(ctx, item, nil)
}

// Lane returns the shared lane of a key: the same key, always the same lane. Any keys will do, consecutive numbers
// too.
func (b *Batcher[T]) Lane(key uint64) *Lane[T] {
	// Multiplying by the golden ratio spreads neighbours; the high half of the second product is a fair remainder.
	i, _ := bits.Mul64(key*0x9E3779B97F4A7C15, uint64(len(b.shared)))
	return b.shared[i]
}

// NewLane returns a lane of its own, for batches that are not shared, such as those of one connection. It needs no
// closing: an empty lane that nobody refers to is garbage.
func (b *Batcher[T]) NewLane() *Lane[T] {
	i := b.turn.Add(1) % uint32(len(b.counters))
	return newLane(b, &b.counters[i])
}

// Flush does what [Lane.Flush] does for all lanes that hold something now.
func (b *Batcher[T]) Flush(ctx context.Context) error {
	lanes := b.holding()
	marks := make([]uint64, len(lanes))
	for i, l := range lanes {
		marks[i] = l.push()
	}
	for i, l := range lanes {
		if err := l.settled(ctx, marks[i]); err != nil {
			return err
		}
	}
	return nil
}

// holding returns the lanes that hold anything.
func (b *Batcher[T]) holding() []*Lane[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lanes []*Lane[T]
	for n := b.active.front; n != nil; n = n.next {
		lanes = append(lanes, n.v)
	}
	return lanes
}

// begin enters a lane whose batch of that number gets its first item; false when the Batcher is closed.
func (b *Batcher[T]) begin(l *Lane[T], batch uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() {
		return false
	}
	if !l.active.in {
		b.active.push(&l.active)
	}
	if b.cfg.MaxAge > 0 {
		b.watchLocked(l, batch)
	}
	return true
}

// due takes the lane's batch out of the ages, since it will be handed over without them, and counts the runner when
// one is about to start.
func (b *Batcher[T]) due(l *Lane[T], starts bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ages.remove(&l.age)
	if starts {
		b.live++
	}
}

// leave takes an empty lane out of the active ones.
func (b *Batcher[T]) leave(l *Lane[T]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.active.remove(&l.active)
}

// ended counts a goroutine that does nothing more.
func (b *Batcher[T]) ended() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.endedLocked()
}

func (b *Batcher[T]) endedLocked() {
	b.live--
	if b.live == 0 && b.closed.Load() {
		close(b.idle)
	}
}
