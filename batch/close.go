package batch

import (
	"context"
	"errors"
	"time"
)

// closeGrace is how long Close waits, after its context has ended, for handlers to heed theirs.
const closeGrace = time.Second

// Close ends the Batcher. From its first moment Add returns [ErrClosed], blocked ones too; then what every lane
// holds is handed over at once, and handled or retried until ctx ends. Then the handlers' context is cancelled, and
// what they still fail, wait to retry or have not begun is abandoned.
//
// Close returns when all of its goroutines have ended: nil when all that it found was handled, else an
// [*AbandonedError] for all of that which was given up. The exception is a handler (or a hook) that goes on a second
// after ctx ended: Close does not wait for it longer, and returns a [*StuckError] too.
//
// A further Close waits for the same end, and the first context that ends counts for all.
func (b *Batcher[T]) Close(ctx context.Context) error {
	b.shut()
	select {
	case <-b.idle:
	case <-ctx.Done():
		b.cancel(ctx.Err())
		b.waitIdle(closeGrace)
	}
	b.cancel(ErrClosed)
	return b.verdict(ctx.Err())
}

// shut refuses new items and hands over all that is there. Only the first call does anything.
func (b *Batcher[T]) shut() {
	b.mu.Lock()
	if b.closed.Load() {
		b.mu.Unlock()
		return
	}
	b.closed.Store(true)
	b.live++ // this call: idle must not come before every lane is shut
	b.mu.Unlock()

	for _, l := range b.holding() {
		l.shut()
	}
	b.disarm()
	b.ended()
}

// waitIdle waits until no goroutine is left, d at most.
func (b *Batcher[T]) waitIdle(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-b.idle:
	case <-t.C:
	}
}

// verdict returns Close's error; ended is that of its context.
func (b *Batcher[T]) verdict(ended error) error {
	var errs []error
	b.mu.Lock()
	lost, last, live := b.total.lost, b.total.last, b.live
	b.mu.Unlock()
	if lost > 0 {
		err := &AbandonedError{Items: int(lost), Attempts: last.Attempts, Err: last.Err}
		if ended != nil {
			err.Err = ended
		}
		errs = append(errs, err)
	}
	if live > 0 {
		errs = append(errs, &StuckError{Items: int(b.Stats().Pending)})
	}
	return errors.Join(errs...)
}
