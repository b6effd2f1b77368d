// Package later does something for many, a while after it was asked for and for all of them at once.
//
// # Concurrency
//
// A [Queue] may be used by several goroutines at once. It takes one lock, and calls nobody under it.
package later

import (
	"sync"
	"time"
)

// Queue calls a function for each thing that was added, a while later. One timer serves all of them; it runs only while
// there are any, so an idle Queue costs neither a goroutine nor a wake-up.
type Queue[T any] struct {
	after time.Duration
	do    func(T)

	mu    sync.Mutex
	due   []T
	spare []T // the array of due before the last turn
	timer *time.Timer
	armed bool
	over  bool // for good
}

// New returns a Queue that calls do. Calls come one after the other, from a goroutine of the Queue's own; do must not
// block for long, because the others wait for it.
func New[T any](after time.Duration, do func(T)) *Queue[T] {
	return &Queue[T]{after: after, do: do}
}

// Add has the function called for v within the time that New was given, and that of a turn that is under way. What is
// added twice has two calls. It may be called by that function, and under locks which that takes.
func (q *Queue[T]) Add(v T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.due = append(q.due, v)
	q.armLocked()
}

func (q *Queue[T]) armLocked() {
	switch {
	case q.armed || q.over || len(q.due) == 0:
	case q.timer == nil:
		q.armed, q.timer = true, time.AfterFunc(q.after, q.turn)
	default:
		q.armed = true
		q.timer.Reset(q.after)
	}
}

func (q *Queue[T]) turn() {
	q.mu.Lock()
	due := q.due
	q.due, q.spare = q.spare, nil
	q.mu.Unlock()
	for _, v := range due {
		q.do(v)
	}
	clear(due)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spare, q.armed = due[:0], false
	q.armLocked()
}

// Stop stops the timer. What is due, and what is added from here on, has no call; a turn that is under way goes on.
func (q *Queue[T]) Stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.timer != nil {
		q.timer.Stop()
	}
	q.over = true
}
