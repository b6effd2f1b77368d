package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	pulseEvery = time.Second
	pulseTime  = 2 * time.Second // a database that takes longer to answer counts as away
)

// pulse knows whether the database could take something now: it asks each second, and hears of each commit, because a
// full disk answers as ever until it is given something. Its methods may be called at once.
type pulse struct {
	ping func(context.Context) error
	log  *slog.Logger
	stop context.CancelFunc
	done sync.WaitGroup

	mu    sync.Mutex
	asked time.Time // when what has no answer yet was asked; zero: nothing
	lost  time.Time // since when each answer was an error; zero: the last one was good
	full  time.Time // since when each commit has failed for the database's sake; zero: the last one has not
}

func newPulse(ping func(context.Context) error, log *slog.Logger) *pulse {
	return &pulse{ping: ping, log: log}
}

// start begins to ask.
func (p *pulse) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	p.done.Go(func() { p.run(ctx) })
}

// close ends the asking and waits for that.
func (p *pulse) close() {
	p.stop()
	p.done.Wait()
}

func (p *pulse) run(ctx context.Context) {
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	for {
		p.ask(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (p *pulse) ask(ctx context.Context) {
	began := time.Now()
	p.mu.Lock()
	p.asked = began
	p.mu.Unlock()
	limited, cancel := context.WithTimeout(ctx, pulseTime)
	err := p.ping(limited)
	cancel()
	if ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	before := p.lost
	p.asked = time.Time{}
	if err == nil {
		p.lost = time.Time{}
	} else if before.IsZero() {
		p.lost = began
	}
	p.mu.Unlock()
	switch { // once, not each second
	case err != nil && before.IsZero():
		p.log.Error("the database is away; the devices wait", "error", err)
	case err == nil && !before.IsZero():
		p.log.Info("the database is back", "after", time.Since(before).Round(time.Millisecond))
	}
}

// heard notes how a commit went.
func (p *pulse) heard(err error) {
	failed := errors.As(err, new(awayError))
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !failed:
		p.full = time.Time{}
	case p.full.IsZero():
		p.full = time.Now()
	}
}

// away is how long the database has been away; 0: it is there.
func (p *pulse) away() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.lost.IsZero():
		return time.Since(p.lost)
	case !p.asked.IsZero() && time.Since(p.asked) > pulseTime:
		return time.Since(p.asked)
	case !p.full.IsZero():
		return time.Since(p.full)
	}
	return 0
}
