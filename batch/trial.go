package batch

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// trial is how far a lane has come with the batch in flight. A batch is one job at first; when its attempts are over it
// is parted, until the items are found that it fails for. What is rejected is one more job, for the dead letter.
type trial[T any] struct {
	jobs     []span // not settled; the last one is next
	parted   bool
	letter   bool // the dead letter's turn
	tries    int  // of the job
	view     Batch[T]
	rejected []Rejected[T]
	offered  int   // of rejected, to the dead letter
	given    int   // of rejected, up with their job; the last ones
	lost     error // why
}

// span is the items from lo to hi of a batch.
type span struct{ lo, hi int }

func (s span) len() int { return s.hi - s.lo }

// begin starts the trial of a batch.
func (t *trial[T]) begin(b *Batch[T]) {
	t.jobs = append(t.jobs[:0], span{0, b.Len()})
	t.parted, t.letter, t.tries, t.offered, t.given, t.lost = false, false, 0, 0, 0, nil
}

// end forgets the batch.
func (t *trial[T]) end() {
	clear(t.rejected)
	clear(t.view.refused)
	t.rejected = t.rejected[:0]
	t.view = Batch[T]{refused: t.view.refused[:0]}
}

func (t *trial[T]) job() span { return t.jobs[len(t.jobs)-1] }

func (t *trial[T]) pop() {
	t.jobs = t.jobs[:len(t.jobs)-1]
	t.tries = 0
}

// part puts the halves of the job in its place, the first one next.
func (t *trial[T]) part() {
	s := t.job()
	t.pop()
	middle := s.lo + s.len()/2
	t.jobs = append(t.jobs, span{middle, s.hi}, span{s.lo, middle})
	t.parted = true
}

// done notes that the handler has taken the job, but for what it has rejected.
func (t *trial[T]) done(b *Batch[T]) {
	for _, r := range t.view.refused {
		t.reject(b, t.job().lo+r.index, ByHandler, r.err)
	}
	t.pop()
}

func (t *trial[T]) reject(b *Batch[T], i int, cause Cause, err error) {
	t.rejected = append(t.rejected, Rejected[T]{Index: i, Item: b.Item(i), Payload: b.Payload(i), Cause: cause, Err: err})
}

// giveUp rejects everything that no job has settled.
func (t *trial[T]) giveUp(b *Batch[T], err error) {
	t.lost = err
	for _, s := range t.jobs {
		for i := s.lo; i < s.hi; i++ {
			t.reject(b, i, GivenUp, err)
			t.given++
		}
	}
	t.jobs = t.jobs[:0]
}

// forLetter returns what the dead letter has not been offered.
func (t *trial[T]) forLetter() []Rejected[T] { return t.rejected[t.offered : len(t.rejected)-t.given] }

// concludeLetter notes whether the dead letter has taken what it was offered.
func (t *trial[T]) concludeLetter(taken bool) {
	for i := range t.forLetter() {
		t.forLetter()[i].Delivered = taken
	}
	t.offered = len(t.rejected) - t.given
	t.letter, t.tries = false, 0
}

// releasePoison gives the poison up that was held for the dead letter: Close has ended that, and nobody may take the
// items for refused.
func (t *trial[T]) releasePoison(err error) {
	for i := range t.forLetter() {
		if r := &t.forLetter()[i]; r.Cause == Poison {
			r.Cause, t.lost = GivenUp, err
		}
	}
}

// abandoned returns how many items were given up.
func (t *trial[T]) abandoned() (n int) {
	for i := range t.rejected {
		if t.rejected[i].Cause == GivenUp {
			n++
		}
	}
	return n
}

// refused tells of the items that were rejected and not delivered; nil when there are none.
func (t *trial[T]) refused() *RejectedError {
	var e *RejectedError
	for i := range t.rejected {
		r := &t.rejected[i]
		if r.Delivered || r.Cause == GivenUp {
			continue
		}
		if e == nil {
			e = &RejectedError{Err: r.Err}
		}
		e.Items++
	}
	return e
}

// inOrder brings rejected items into the order of their numbers.
func inOrder[T any](rejected []Rejected[T]) {
	slices.SortFunc(rejected, func(a, b Rejected[T]) int { return cmp.Compare(a.Index, b.Index) })
}

// unavailable reports whether an attempt failed because of the store, which says so or takes too long. To try each item
// by itself would take for ever then.
func unavailable(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
}
