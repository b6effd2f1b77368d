package batch

import (
	"context"
	"runtime/debug"
	"time"
)

// run hands the batch in flight to the handler until it is settled, then each next one that is due, and ends when
// there is none. failed is how an attempt ended that took the goroutine with it, nil at the start.
func (l *Lane[T]) run(failed error) {
	returned := false
	defer func() {
		if !returned { // the handler called Goexit: this goroutine is lost, the batch is not
			go l.run(ErrGoexit)
		}
	}()
	for more := true; more; {
		if failed == nil {
			failed = l.attempt()
		}
		more = l.conclude(failed)
		failed = nil
	}
	returned = true
	l.b.ended()
}

// attempt calls the handler once and returns how it failed, if it did. When Close has ended it only says so.
func (l *Lane[T]) attempt() (err error) {
	if l.b.ctx.Err() != nil {
		return context.Cause(l.b.ctx)
	}
	if l.flight.attempt++; l.flight.attempt > 1 {
		l.b.countRetry()
	}
	ctx := l.b.ctx
	if l.b.cfg.Timeout > 0 {
		c, cancel := context.WithTimeout(ctx, l.b.cfg.Timeout)
		defer cancel()
		ctx = c
	}
	defer func() {
		if recover() != nil {
			err = &PanicError{Stack: debug.Stack()}
		}
	}()
	return l.b.fn(ctx, l.flight)
}

// conclude does what follows an attempt that ended with err: settles the batch, or waits for its next attempt. It
// reports whether there is a batch to attempt now.
func (l *Lane[T]) conclude(err error) bool {
	batch := l.flight
	if err == nil {
		l.b.countHandled(batch)
		return l.next()
	}
	if l.mayRetry() && l.backOff(err) {
		return true
	}
	lost := &AbandonedError{Items: batch.Len(), Attempts: batch.attempt, Err: err}
	l.b.countAbandoned(batch, lost)
	if hook := l.b.cfg.OnAbandon; hook != nil {
		shielded(func() { hook(lost, lost.Items) })
	}
	return l.next()
}

// mayRetry reports whether the batch in flight has an attempt left and the time for it.
func (l *Lane[T]) mayRetry() bool {
	limit := l.b.cfg.Attempts
	return (limit < 0 || l.flight.attempt < limit) && l.b.ctx.Err() == nil
}

// backOff waits before the next attempt; false when Close ends first.
func (l *Lane[T]) backOff(err error) bool {
	attempt := l.flight.attempt
	wait := l.b.cfg.pause(attempt)
	if hook := l.b.cfg.OnRetry; hook != nil {
		shielded(func() { hook(err, attempt, wait) })
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.b.ctx.Done():
		return false
	}
}

// shielded runs a hook on a goroutine of its own, so that neither its panic nor its Goexit reaches the runner.
func shielded(hook func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		hook()
	}()
	<-done
}
