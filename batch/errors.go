package batch

import (
	"errors"
	"strconv"
)

var (
	// ErrClosed is what Add returns from the moment [Batcher.Close] is called. The item was not added.
	ErrClosed = errors.New("batch: closed")
	// ErrUnavailable is for handlers to return, alone or in another error, when the store takes nothing now, whatever
	// it is given. Such a batch comes again whole and is never parted, because no item is to blame; when its attempts
	// are over it is given up, with [Hold] never. An attempt whose Config.Timeout has passed counts the same.
	ErrUnavailable = errors.New("batch: the store is unavailable")
	// ErrGoexit is the failure of an attempt whose handler called [runtime.Goexit].
	ErrGoexit = errors.New("batch: the handler called runtime.Goexit")
)

// PanicError is the failure of an attempt whose handler panicked. It does not hold the panic's value, which may be
// anything that a client sent, so its text is fit for a log.
type PanicError struct {
	// Stack is the stack of the panic, as [runtime/debug.Stack] formats it.
	Stack []byte
}

// Error says that the handler panicked, and no more.
func (e *PanicError) Error() string { return "batch: the handler panicked" }

// AbandonedError tells of items that were accepted and given up. Config.OnAbandon gets one for each batch,
// [Batcher.Close] returns one for all that it gave up.
type AbandonedError struct {
	// Items is the number of items given up.
	Items int
	// Attempts is how often the handler had them: fewer than Config.Attempts when Close ended first, possibly 0. In
	// Close's error it is that of the last batch.
	Attempts int
	// Err is what the handler's last attempt failed with, or the error of Close's context when that was the end.
	Err error
}

// Error names the number of items and of attempts, and the last failure.
func (e *AbandonedError) Error() string {
	s := "batch: " + strconv.Itoa(e.Items) + " items abandoned after " + strconv.Itoa(e.Attempts) + " attempts"
	if e.Err == nil {
		return s
	}
	return s + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *AbandonedError) Unwrap() error { return e.Err }

// RejectedError tells of items that were accepted and that neither the handler nor a dead letter has taken.
type RejectedError struct {
	// Items is the number of items.
	Items int
	// Err is the reason that the first of them was rejected for, or what the handler failed with for it. It may be nil.
	Err error
}

// Error names the number of items, and the reason of the first.
func (e *RejectedError) Error() string {
	s := "batch: " + strconv.Itoa(e.Items) + " items rejected"
	if e.Err == nil {
		return s
	}
	return s + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *RejectedError) Unwrap() error { return e.Err }

// StuckError is what [Batcher.Close] returns when a handler went on after its context was cancelled.
type StuckError struct {
	// Items is the number of items that were with such handlers or behind them. They are still pending: each is
	// counted as handled or abandoned if its handler ever returns.
	Items int
}

// Error names the number of items.
func (e *StuckError) Error() string {
	return "batch: a handler ignores its cancelled context, " + strconv.Itoa(e.Items) + " items wait for it"
}
