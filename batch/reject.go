package batch

import "context"

// Cause is why an item was not handled.
type Cause int

// Why an item was not handled.
const (
	// ByHandler: the handler has called [Batch.Reject] for it.
	ByHandler Cause = iota
	// Poison: the handler has failed for every batch that it was in, down to one with nothing else in it.
	Poison
	// GivenUp: the Batcher was closed, or the handler hangs.
	GivenUp
)

// Rejected is an item that is not handled.
type Rejected[T any] struct {
	Index   int // in the batch
	Item    T
	Payload []byte // valid until the function that gets it returns
	Cause   Cause
	// Err is the reason that Reject was given, or what the handler failed with.
	Err error
	// Delivered is true when the dead letter has taken it.
	Delivered bool
}

// Hooks are what a Batcher tells, item by item. All are optional. They are called like the handler: for several lanes
// at once, never twice at once for one lane.
type Hooks[T any] struct {
	// DeadLetter takes the items that were rejected, by the handler or as poison; they count as dead-lettered once it
	// has returned nil. It gets them before the handler gets anything that is behind them. It is retried as the handler
	// is. When its attempts are over, and without it at once, they count as rejected; see Config.OnPoison.
	DeadLetter func(ctx context.Context, rejected []Rejected[T]) error
	// Settled is told of each batch when nothing more happens to its items: all are handled but those in rejected, in
	// the order of their numbers. It has to be quick, and must not panic.
	Settled func(b *Batch[T], rejected []Rejected[T])
	// Dropped is told how many items, with how many payload bytes, have made room for newer ones, by the goroutine that
	// adds those; the others go on meanwhile.
	Dropped func(items, bytes int)
}

// OnPoison says what happens to an item that the handler fails for and that no dead letter takes.
type OnPoison int

const (
	// Refuse counts the item as rejected, and goes on with the next ones.
	Refuse OnPoison = iota
	// Hold keeps the item, and all behind it, in the lane, and tries again until Close: for data that may not be lost
	// and whose order matters. So it does with a batch whose attempts take too long or fail with [ErrUnavailable], and
	// with a dead letter that fails. What the handler itself rejects is not held.
	Hold
)
