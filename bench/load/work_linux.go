package load

import (
	"errors"
	"fmt"
	"time"
)

// Meter returns the processor time that the server has used so far.
type Meter func() time.Duration

// Result is what a workload has measured.
type Result struct {
	Messages uint64        // delivered: to the client, or with ingest to the server
	CPU      time.Duration // of the server, user and system, meanwhile
	Elapsed  time.Duration
}

// span measures from its making to its end.
type span struct {
	meter    Meter
	began    time.Time
	cpu      time.Duration
	messages uint64
}

func begin(m Meter, messages uint64) span {
	return span{meter: m, began: time.Now(), cpu: m(), messages: messages}
}

func (s span) end(messages uint64) Result {
	return Result{Messages: messages - s.messages, CPU: s.meter() - s.cpu, Elapsed: time.Since(s.began)}
}

// patience is how long the server may take to deliver what is due.
const patience = 10 * time.Second

var errLate = errors.New("messages are missing")

// until turns until done, and fails when nothing is left to wait for.
func (c *Client) until(done func() bool, onMessage func(*conn, []byte) error) error {
	deadline := time.Now().Add(patience)
	for !done() {
		if err := c.turn(100*time.Millisecond, onMessage); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return errLate
		}
	}
	return nil
}

func (c *Client) received() (n uint64) {
	for _, k := range c.all {
		n += k.received
	}
	return n
}

// Load says how a workload is run.
type Load struct {
	Size    int           // of a message in bytes, at least 8
	Flight  int           // messages in flight on a connection, or in a burst
	Warmup  time.Duration // before the measuring
	Measure time.Duration
	Meter   Meter
}

// Echo keeps Flight messages in flight on every connection, written together, and checks that each comes back.
func (c *Client) Echo(l Load) (Result, error) {
	var total uint64
	burst := make([]byte, 0, l.Flight*(l.Size+14))
	stopping := false
	send := func(k *conn, n int) error {
		burst = burst[:0]
		for range n {
			burst = appendFrame(burst, opBinary, k.sent, l.Size)
			k.sent++
		}
		return k.write(burst)
	}
	onMessage := func(k *conn, p []byte) error {
		total++
		if err := sample(k, p, l.Size); err != nil {
			return err
		}
		if k.received == k.sent && !stopping {
			return send(k, l.Flight)
		}
		return nil
	}
	for _, k := range c.all {
		if err := send(k, l.Flight); err != nil {
			return Result{}, err
		}
	}
	r, err := c.measure(l, &total, onMessage)
	if err != nil {
		return r, err
	}
	stopping = true
	return r, c.finish(onMessage)
}

// finish waits for every answer that is due, and then for a pong on each connection: nothing may come in between.
func (c *Client) finish(onMessage func(*conn, []byte) error) error {
	if err := c.until(func() bool { return c.received() >= c.sent() }, onMessage); err != nil {
		return err
	}
	return c.settle()
}

// sample compares the length and the number of every payload, and of some the content: the number-th message that came
// over a connection carries that number, or one was lost, doubled or overtaken.
func sample(k *conn, p []byte, size int) error {
	if len(p) != size {
		return fmt.Errorf("a message of %d bytes came back with %d", size, len(p))
	}
	if k.received%sampled == 1 {
		return check(p, k.received-1)
	}
	return numbered(p, k.received-1)
}

// measure turns for the times that l says.
func (c *Client) measure(l Load, total *uint64, onMessage func(*conn, []byte) error) (Result, error) {
	if err := c.turnFor(l.Warmup, onMessage); err != nil {
		return Result{}, err
	}
	s := begin(l.Meter, *total)
	err := c.turnFor(l.Measure, onMessage)
	return s.end(*total), err
}

func (c *Client) turnFor(d time.Duration, onMessage func(*conn, []byte) error) error {
	for deadline := time.Now().Add(d); time.Now().Before(deadline); {
		if err := c.turn(10*time.Millisecond, onMessage); err != nil {
			return err
		}
	}
	return nil
}

// Broadcast has the first connection send Flight messages at once, and again as soon as every connection has received
// them all, in order.
func (c *Client) Broadcast(l Load) (Result, error) {
	var total, due uint64
	onMessage := func(k *conn, p []byte) error {
		total++
		return sample(k, p, l.Size)
	}
	burst := make([]byte, 0, l.Flight*(l.Size+14))
	round := func() error {
		burst = burst[:0]
		for range l.Flight {
			burst = appendFrame(burst, opBinary, c.all[0].sent, l.Size)
			c.all[0].sent++
		}
		due += uint64(l.Flight) * uint64(len(c.all))
		if err := c.all[0].write(burst); err != nil {
			return err
		}
		return c.until(func() bool { return total >= due }, onMessage)
	}
	if err := repeat(l.Warmup, round); err != nil {
		return Result{}, err
	}
	s := begin(l.Meter, total)
	if err := repeat(l.Measure, round); err != nil {
		return Result{}, err
	}
	return s.end(total), c.complete()
}

// complete fails unless every connection has received what the first has sent, and no more.
func (c *Client) complete() error {
	for _, k := range c.all {
		if k.received != c.all[0].sent {
			return fmt.Errorf("connection %d got %d of %d messages", k.index, k.received, c.all[0].sent)
		}
	}
	return c.settle()
}

func repeat(d time.Duration, f func() error) error {
	for deadline := time.Now().Add(d); ; {
		if err := f(); err != nil || !time.Now().Before(deadline) {
			return err
		}
	}
}

func nothing(*conn, []byte) error {
	return errors.New("the server sends a message that nobody asked for")
}

// turnUntil handles what comes until a time, to which it sleeps with the precision of the kernel's timers.
func (c *Client) turnUntil(t time.Time, onMessage func(*conn, []byte) error) error {
	if err := c.turn(0, onMessage); err != nil {
		return err
	}
	if d := time.Until(t); d > 0 {
		sleep(d)
	}
	return nil
}
