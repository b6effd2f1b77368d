package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

const (
	sampleEvery = 250 * time.Millisecond
	maxBacklog  = 1_200  // messages kept in memory: five minutes
	maxSpooled  = 50_000 // and with a spool: three hours and a half

	answerTime  = 10 * time.Second // for the server to take a connection, a message or a ping
	helloTime   = time.Minute      // for the server to say hello
	pingEvery   = 15 * time.Second // finds out that a server has gone without a word
	steadyAfter = 10 * time.Second // a connection this old makes the earlier failures forgotten
	firstWait   = 250 * time.Millisecond
	longestWait = 30 * time.Second
)

// agent is a device: it measures and sends, comes back when the connection breaks, and keeps each message until the
// server has acknowledged it.
type agent struct {
	url    string
	device string
	token  func() (string, error) // asked before each connection
	ended  func() bool            // when it says so, a lost connection is not made again
	sample func(context.Context) []sample
	every  time.Duration // between two samples; 0: sampleEvery
	spool  string        // folder of the file that outlives the agent; "": memory alone
	log    *slog.Logger
}

// A sample is one reading in the form in which a device sends it.
type sample struct {
	Metric string    `json:"metric"`
	Value  float64   `json:"value"`
	TS     time.Time `json:"ts"`
}

// errRefused means that the server will not take this agent, however often it asks.
var errRefused = errors.New("the server refused the agent")

// runAgent is the program with -agent: it ends with a signal, or when the server refuses it.
func runAgent(o options, log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	a := &agent{
		url:    o.agent,
		device: o.device,
		token:  func() (string, error) { return o.token, nil },
		ended:  func() bool { return false },
		sample: newMachine(log).sample,
		spool:  o.spool,
		log:    log,
	}
	return a.run(ctx)
}

// run measures and sends until ctx ends, or until ended says so, which is nil, or until the server refuses it.
func (a *agent) run(ctx context.Context) error {
	kept, err := a.backlog()
	if err != nil {
		return err
	}
	defer kept.close()
	ctx, cancel := context.WithCancel(ctx)
	var measuring sync.WaitGroup
	measuring.Go(func() { a.measure(ctx, kept) })
	defer measuring.Wait()
	defer cancel()
	return a.stay(ctx, kept)
}

// backlog opens what keeps the messages.
func (a *agent) backlog() (*backlog, error) {
	if a.spool == "" {
		return newBacklog(), nil
	}
	b, cut, err := openBacklog(a.spool, a.device)
	if err != nil {
		return nil, fmt.Errorf("open the spool in %s: %w", a.spool, err)
	}
	if cut > 0 {
		a.log.Warn("agent: the end of the spool made no sense and was cut", "device", a.device, "bytes", cut)
	}
	return b, nil
}

func (a *agent) measure(ctx context.Context, to *backlog) {
	tick := time.NewTicker(cmp.Or(a.every, sampleEvery))
	defer tick.Stop()
	failed := false
	for {
		if round := a.sample(ctx); len(round) > 0 {
			err := keep(round, to)
			if err != nil && !failed {
				a.log.Error("agent: what it measures is lost", "device", a.device, "error", err)
			}
			failed = err != nil
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// keep makes a message of what was measured at once.
func keep(round []sample, to *backlog) error {
	message, err := json.Marshal(round)
	if err != nil {
		return err
	}
	return to.put(message)
}

// stay connects again and again. Between two connections it waits for a random time below a bound that doubles with
// each failure, so that many agents do not come back at once. It logs what changes, not every try.
func (a *agent) stay(ctx context.Context, from *backlog) error {
	for failures, told := 0, false; ; failures++ {
		up, err := a.connect(ctx, from)
		if ctx.Err() != nil || a.ended() {
			return nil //nolint:nilerr // it was asked to end, and so did the connection
		}
		if errors.Is(err, errRefused) {
			return err
		}
		if up >= steadyAfter {
			failures = 0
		}
		if up > 0 || !told {
			a.log.Warn("agent: not connected; it keeps trying", "device", a.device, "why", err)
			told = true
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rand.N(bound(failures))):
		}
	}
}

// bound is what the wait after so many failures in a row stays below.
func bound(failures int) time.Duration {
	return min(longestWait, firstWait<<min(failures, 10))
}
