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

// attempt calls the handler, or the dead letter, once and returns how it failed, if it did. When Close has ended it
// only says so.
func (l *Lane[T]) attempt() (err error) {
	if l.b.ctx.Err() != nil {
		return context.Cause(l.b.ctx)
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
	t := &l.trial
	t.tries++
	if t.letter {
		return l.b.hooks.DeadLetter(ctx, t.forLetter())
	}
	if l.flight.attempt++; l.flight.attempt > 1 {
		l.b.countRetry()
	}
	s := t.job()
	l.flight.part(&t.view, s.lo, s.hi)
	t.view.attempt = l.flight.attempt
	return l.b.fn(ctx, &t.view)
}

// conclude does what follows an attempt that ended with err. It reports whether there is something to attempt now: the
// same again, when it has waited for that, or something else.
func (l *Lane[T]) conclude(err error) bool {
	t := &l.trial
	switch {
	case err != nil && l.mayRetry(err) && l.backOff(err):
		return true
	case t.letter:
		if err != nil && l.b.cfg.OnPoison == Hold && l.b.ctx.Err() != nil {
			t.releasePoison(err)
		}
		t.concludeLetter(err == nil)
	case err == nil:
		t.done(l.flight)
	case l.b.ctx.Err() != nil || unavailable(err):
		t.giveUp(l.flight, err)
	case t.job().len() > 1:
		t.part()
	default:
		t.reject(l.flight, t.job().lo, Poison, err)
		t.pop()
	}
	if l.b.hooks.DeadLetter != nil && len(t.forLetter()) > 0 && l.b.ctx.Err() == nil {
		t.letter = true
		inOrder(t.forLetter())
		return true
	}
	if len(t.jobs) > 0 {
		return true
	}
	l.settle()
	return l.land()
}

// settle counts what has become of the batch in flight, and tells it.
func (l *Lane[T]) settle() {
	t, batch := &l.trial, l.flight
	inOrder(t.rejected)
	var lost *AbandonedError
	if n := t.abandoned(); n > 0 {
		lost = &AbandonedError{Items: n, Attempts: batch.attempt, Err: t.lost}
	}
	l.b.countSettled(batch, t.rejected, lost)
	if hook := l.b.cfg.OnAbandon; hook != nil && lost != nil {
		shielded(func() { hook(lost, lost.Items) })
	}
	if refused := t.refused(); refused != nil && l.b.cfg.OnReject != nil {
		shielded(func() { l.b.cfg.OnReject(refused, refused.Items) })
	}
	if hook := l.b.hooks.Settled; hook != nil {
		hook(batch, t.rejected)
	}
	t.end()
}

// mayRetry reports whether the job has an attempt left and the time for it.
func (l *Lane[T]) mayRetry(err error) bool {
	t := &l.trial
	if l.b.ctx.Err() != nil {
		return false
	}
	if l.b.cfg.OnPoison == Hold && (t.letter || unavailable(err) || l.b.hooks.DeadLetter == nil && t.job().len() == 1) {
		return true
	}
	limit := l.b.cfg.Attempts
	if t.parted && !t.letter && !unavailable(err) { // a part that fails is parted at once
		limit = 1
	}
	return limit < 0 || t.tries < limit
}

// backOff waits before the next attempt; false when Close ends first.
func (l *Lane[T]) backOff(err error) bool {
	wait := l.b.cfg.pause(l.trial.tries)
	if hook := l.b.cfg.OnRetry; hook != nil {
		attempt := l.trial.tries
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
