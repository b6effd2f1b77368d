package main

import (
	"slices"
	"sync"
)

// backlog keeps what is measured until it is sent: the newest maxBacklog rounds. Its methods may be called at once.
type backlog struct {
	filled chan struct{} // has a token when there may be something to take

	mu     sync.Mutex
	rounds [][]sample
	lost   int // rounds that were the oldest of too many
}

func newBacklog() *backlog { return &backlog{filled: make(chan struct{}, 1)} }

// put adds a round; when there are too many, the oldest goes.
func (b *backlog) put(round []sample) { b.keep(func() { b.rounds = append(b.rounds, round) }) }

// putBack returns a round that was taken and not sent.
func (b *backlog) putBack(round []sample) {
	b.keep(func() { b.rounds = slices.Insert(b.rounds, 0, round) })
}

func (b *backlog) keep(add func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	add()
	if over := len(b.rounds) - maxBacklog; over > 0 {
		b.rounds = slices.Delete(b.rounds, 0, over)
		b.lost += over
	}
	select {
	case b.filled <- struct{}{}:
	default:
	}
}

// take removes and returns the oldest round; nil when there is none.
func (b *backlog) take() []sample {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.rounds) == 0 {
		return nil
	}
	round := b.rounds[0]
	b.rounds = slices.Delete(b.rounds, 0, 1)
	return round
}

// takeLost returns how many rounds were lost since it was last called.
func (b *backlog) takeLost() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	lost := b.lost
	b.lost = 0
	return lost
}
