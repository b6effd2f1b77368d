package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

const (
	sampleEvery = 250 * time.Millisecond
	maxBacklog  = 1200 // rounds kept while there is no connection: five minutes

	answerTime  = 10 * time.Second // for the server to take a connection, a message or a ping
	pingEvery   = 15 * time.Second // finds out that a server has gone without a word
	steadyAfter = 10 * time.Second // a connection this old makes the earlier failures forgotten
	firstWait   = 250 * time.Millisecond
	longestWait = 30 * time.Second
)

// agent is a device: it measures and sends, and comes back when the connection breaks.
type agent struct {
	url    string
	device string
	token  func() (string, error) // asked before each connection
	ended  func() bool            // when it says so, a lost connection is not made again
	sample func(context.Context) []sample
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
		log:    log,
	}
	return a.run(ctx)
}

// run measures and sends until ctx ends, or until ended says so, which is nil, or until the server refuses it.
func (a *agent) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	kept := newBacklog()
	var measuring sync.WaitGroup
	measuring.Go(func() { a.measure(ctx, kept) })
	defer measuring.Wait()
	defer cancel()
	return a.stay(ctx, kept)
}

func (a *agent) measure(ctx context.Context, to *backlog) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		if round := a.sample(ctx); len(round) > 0 {
			to.put(round)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
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

// connect sends over one connection until that ends, and returns how long it was up; 0 when there was none.
func (a *agent) connect(ctx context.Context, from *backlog) (up time.Duration, err error) {
	c, err := a.dial(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	a.log.Info("agent: connected", "device", a.device, "url", a.url)
	if lost := from.takeLost(); lost > 0 {
		a.log.Warn("agent: it was not connected for too long and lost the oldest it measured", "rounds", lost)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var listening sync.WaitGroup
	listening.Go(func() { cancel(a.listen(c)) })
	err = a.send(ctx, c, from)
	_ = c.Close(websocket.StatusNormalClosure, "") // nothing happens when the server has closed
	listening.Wait()
	return time.Since(began), lasting(err)
}

func (a *agent) dial(ctx context.Context) (*websocket.Conn, error) {
	token, err := a.token()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	c, answer, err := websocket.Dial(ctx, a.url, &websocket.DialOptions{
		HTTPHeader:   http.Header{"Authorization": {"Bearer " + token}},
		Subprotocols: []string{"wsx.v1"},
	})
	if answer != nil && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden) {
		return nil, fmt.Errorf("%w: it answered %s; is the token of this server, and still good?", errRefused, answer.Status)
	}
	return c, err
}

// send sends what is measured, oldest first, until the connection or ctx ends; the error is why it did.
func (a *agent) send(ctx context.Context, c *websocket.Conn, from *backlog) error {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-from.filled:
			err = a.flush(ctx, c, from)
		case <-ping.C:
			err = within(ctx, answerTime, c.Ping)
		}
		if err != nil {
			return err
		}
	}
}

// flush sends what there is. The round in hand goes out whole, even when ctx ends meanwhile.
func (a *agent) flush(ctx context.Context, c *websocket.Conn, from *backlog) error {
	for ctx.Err() == nil {
		round := from.take()
		if round == nil {
			return nil
		}
		message, err := json.Marshal(round)
		if err != nil {
			return err
		}
		err = within(context.WithoutCancel(ctx), answerTime, func(ctx context.Context) error {
			return c.Write(ctx, websocket.MessageText, message)
		})
		if err != nil {
			from.putBack(round)
			return err
		}
	}
	return context.Cause(ctx)
}

func within(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return do(ctx)
}

// listen reads until the connection ends, and says how it did. What a server says is about readings it refused.
func (a *agent) listen(c *websocket.Conn) error {
	for {
		_, message, err := c.Read(context.Background()) // ends with the connection
		if err != nil {
			return err
		}
		a.log.Warn("agent: the server says", "device", a.device, "message", string(message[:min(len(message), 256)]))
	}
}

// lasting wraps the closes after which connecting again would change nothing.
func lasting(err error) error {
	switch websocket.CloseStatus(err) {
	case 4001, 4003, 4009, 4010: // token refused, kicked, replaced by another connection, version unsupported
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}
