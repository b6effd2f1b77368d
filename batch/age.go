package batch

import "time"

// age is the deadline of one filling batch. All wait the same time, so the ages are a FIFO and one timer, for the
// front, serves all lanes.
type age[T any] struct {
	lane  *Lane[T]
	batch uint64        // its number in the lane: the lane may have gone on to the next
	at    time.Duration // since the Batcher's start
}

// watchLocked puts a batch that begins now at the back of the ages and sees that the timer runs.
func (b *Batcher[T]) watchLocked(l *Lane[T], batch uint64) {
	l.age.v.batch = batch
	l.age.v.at = time.Since(b.start) + b.cfg.MaxAge
	b.ages.push(&l.age)
	if b.armed {
		return // for an older batch, even if that has gone: expire then sets it anew
	}
	b.armed = true
	b.live++
	if b.timer == nil {
		b.timer = time.AfterFunc(b.cfg.MaxAge, b.expire)
	} else {
		b.timer.Reset(b.cfg.MaxAge)
	}
}

// expire makes every batch due that has reached its age. The timer calls it.
func (b *Batcher[T]) expire() {
	for {
		a, ok := b.oldest()
		if !ok {
			return
		}
		a.lane.expire(a.batch)
	}
}

// oldest returns the front of the ages when it is due. Otherwise it sets the timer for it, or leaves it off when
// there is none. The front stays in: the lane takes it out, under its own lock.
func (b *Batcher[T]) oldest() (age[T], bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	front := b.ages.front
	if front == nil {
		b.armed = false
		b.endedLocked()
		return age[T]{}, false
	}
	if wait := front.v.at - time.Since(b.start); wait > b.slack {
		b.timer.Reset(wait)
		return age[T]{}, false
	}
	return front.v, true
}

// disarm stops the timer; b.closed is set and the ages are empty.
func (b *Batcher[T]) disarm() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.armed && b.timer.Stop() {
		b.armed = false
		b.endedLocked()
	}
}
