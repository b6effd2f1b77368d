package main

import (
	"fmt"
	"time"

	"github.com/fiberwsx/wsx/bench/load"
)

// workload is a row of the results.
type workload struct {
	name   string
	what   string // for -list
	unit   string
	cores  int
	run    func(w *workload, p *process, d time.Duration) (float64, error)
	path   string
	conns  int
	load   load.Load
	budget budget
	quick  bool
	idle   bool   // wants the heartbeat
	acked  bool   // asks for acknowledgements, which only wsx has
	plain  string // the workload that is the same without them
	tls    bool
}

const (
	perMessage = "µs/msg"
	gap        = time.Millisecond // between paced messages
	side       = 2000             // connections of the workloads that only connect
)

// workloads are all of them, in the order of the tables. The budgets are those that the project holds itself to.
func workloads() []workload {
	small, page := load.Load{Size: 128, Flight: 1}, load.Load{Size: 4096, Flight: 32}
	deep, burst := load.Load{Size: 128, Flight: 32}, load.Load{Size: 128, Flight: 100}
	return []workload{
		{name: "echo", what: "64 connections, a message in flight on each", path: "/echo", conns: 64, load: small, run: echo,
			budget: budget{contrib: 0.80, gws: 0.95, gwsAim: 0.85, limit: 1.20, limitAim: 1.0}, quick: true},
		{name: "echo 2 cores", what: "echo with the server on two cores", path: "/echo", conns: 64, load: small, run: echo, cores: 2,
			budget: budget{gws: 0.75, gwsAim: 0.65}, quick: true},
		{name: "echo ×32", what: "16 connections, 32 messages in flight on each", path: "/echo", conns: 16, load: deep, run: echo,
			budget: budget{contrib: 0.06, gws: 0.07, gwsAim: 0.05, limit: 1.30, limitAim: 1.1}, quick: true},
		{name: "echo ×32 4 KiB", what: "the same with messages of 4 KiB", path: "/echo", conns: 16, load: page, run: echo,
			budget: budget{contrib: 0.15, gws: 0.30, gwsAim: 0.20, limit: 2.5, limitAim: 2.0}, quick: true},
		{name: "broadcast 1000", what: "a message to 1,000 connections, the next when all have it", path: "/broadcast", conns: 1000,
			load: small, run: broadcast,
			budget: budget{contrib: 0.80, gws: 1.05, gwsAim: 0.9, limit: 1.15, limitAim: 1.0}, quick: true},
		{name: "broadcast 5000", what: "the same to 5,000", path: "/broadcast", conns: 5000, load: small, run: broadcast,
			budget: budget{contrib: 0.65, gws: 1.05, gwsAim: 0.9, limit: 1.15, limitAim: 1.0}, quick: true},
		{name: "broadcast 1000 2 cores", what: "to 1,000 with the server on two cores", path: "/broadcast", conns: 1000, load: small,
			run: broadcast, cores: 2, budget: budget{gws: 0.65, gwsAim: 0.5}, quick: true},
		{name: "broadcast 5000 2 cores", what: "to 5,000 with the server on two cores", path: "/broadcast", conns: 5000, load: small,
			run: broadcast, cores: 2, budget: budget{gws: 0.75, gwsAim: 0.6}, quick: true},
		{name: "burst 1000", what: "100 messages at once to 1,000 connections", path: "/broadcast", conns: 1000, load: burst,
			run: broadcast, budget: budget{contrib: 0.02, gws: 0.03, gwsAim: 0.015, limit: 1.35, limitAim: 1.1}, quick: true},
		{name: "ingest", what: "8 connections write as much as the server takes", path: "/ingest", conns: 8, load: small, run: stream,
			budget: budget{contrib: 0.30, gws: 0.50, gwsAim: 0.3, limit: 1.5, limitAim: 1.2}, quick: true},
		{name: "ingest acked", what: "the same with acknowledgements, and no more under way than their window", path: "/ingest-acked", conns: 8,
			load: small, run: streamAcked, budget: budget{plain: 1.25}, plain: "ingest", quick: true, acked: true},
		{name: "ingest paced", what: "100 connections, 10 messages a second on each", path: "/ingest", conns: 100, load: small,
			run: paced, budget: budget{contrib: 0.50, gws: 0.50, gwsAim: 0.35, limit: 1.6, limitAim: 1.2}, quick: true},
		{name: "ingest, wall", what: "ingest by the clock on the wall", path: "/ingest", conns: 8, load: small, run: wall((*load.Client).Stream)},
		{name: "ingest acked, wall", what: "with acknowledgements by the clock on the wall", path: "/ingest-acked", conns: 8, load: small,
			run: wall((*load.Client).StreamAcked), budget: budget{plain: 1.25}, plain: "ingest, wall", acked: true},
		{name: "handshake", what: "a connection after the other", unit: "µs", path: "/echo", load: small, run: handshake,
			budget: budget{contrib: 1.0, gws: 1.05}, quick: true},
		{name: "handshakes/s", what: "the same, by the clock on the wall", unit: "1/s", path: "/echo", load: small, run: handshakeRate},
		{name: "idle", what: "resident memory of 5,000 connections, heartbeat on", unit: "KiB", path: "/echo", conns: 5000, run: idle,
			budget: budget{contrib: 0.25, gws: 0.40, most: 4}, quick: true, idle: true},
		{name: "message+FIN", what: "descriptors left of 2,000 connections that say one thing and hang up", unit: "left", path: "/echo",
			run: farewell, quick: true},
		{name: "echo TLS", what: "64 connections over TLS, a message in flight on each", path: "/echo", conns: 64, load: small, run: echoTLS, tls: true},
		{name: "crowd p99", what: "of 50 messages of 1 KiB at once to 1,000 connections, 20 times a second", unit: "µs", path: "/broadcast", conns: 1000,
			load: load.Load{Size: 1024}, run: crowd(0)},
		{name: "crowd p99, one mute", what: "the same with one more that never reads", unit: "µs", path: "/broadcast", conns: 1000,
			load: load.Load{Size: 1024}, run: crowd(1)},
		{name: "latency p50", what: "of an echo at 2,000 messages a second", unit: "µs", path: "/echo", conns: 100, load: small, run: latency(50)},
		{name: "latency p95", what: "of an echo at 2,000 messages a second", unit: "µs", path: "/echo", conns: 100, load: small, run: latency(95)},
		{name: "latency p99", what: "of an echo at 2,000 messages a second", unit: "µs", path: "/echo", conns: 100, load: small, run: latency(99)},
	}
}

// client connects for a workload. It runs on the thread of the caller.
func (w *workload) client(p *process, d time.Duration) (*load.Client, load.Load, error) {
	c, err := load.New(p.addr)
	if err != nil {
		return nil, w.load, err
	}
	l := w.load
	l.Measure, l.Warmup, l.Meter = d, d/4, p.cpu
	connect := c.Connect
	if w.acked {
		connect = c.ConnectAcked
	}
	if err := connect(w.path, w.conns); err != nil {
		c.Close()
		return nil, l, err
	}
	return c, l, nil
}

// fits reports whether a server can be measured under the workload.
func (w *workload) fits(p program) bool {
	return (!w.tls || p.tls) && (!w.acked || p.name == wsxName)
}

// cost turns a workload of the client into the server's time for a message in microseconds.
func cost(f func(*load.Client, load.Load) (load.Result, error)) func(*workload, *process, time.Duration) (float64, error) {
	return each(f, func(r load.Result) time.Duration { return r.CPU })
}

// wall is cost with the time that passes.
func wall(f func(*load.Client, load.Load) (load.Result, error)) func(*workload, *process, time.Duration) (float64, error) {
	return each(f, func(r load.Result) time.Duration { return r.Elapsed })
}

// each divides a time by the messages that were delivered in it.
func each(
	f func(*load.Client, load.Load) (load.Result, error), took func(load.Result) time.Duration,
) func(*workload, *process, time.Duration) (float64, error) {
	return func(w *workload, p *process, d time.Duration) (float64, error) {
		c, l, err := w.client(p, d)
		if err != nil {
			return 0, err
		}
		defer c.Close()
		r, err := f(c, l)
		if err != nil {
			return 0, err
		}
		if r.Messages == 0 {
			return 0, fmt.Errorf("nothing was delivered in %v", r.Elapsed)
		}
		return micros(took(r)) / float64(r.Messages), nil
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

var (
	echo        = cost((*load.Client).Echo)
	broadcast   = cost((*load.Client).Broadcast)
	stream      = cost((*load.Client).Stream)
	streamAcked = cost((*load.Client).StreamAcked)
	paced       = cost(func(c *load.Client, l load.Load) (load.Result, error) {
		l.Measure *= 2
		return c.Paced(l, gap)
	})
	handshake = cost(func(c *load.Client, l load.Load) (load.Result, error) { return c.Handshakes("/echo", l) })
)

func echoTLS(w *workload, p *process, d time.Duration) (float64, error) {
	l := w.load
	l.Measure, l.Warmup, l.Meter = d, d/4, p.cpu
	r, err := load.EchoTLS(p.addr, w.path, w.conns, l)
	if err != nil {
		return 0, err
	}
	return micros(r.CPU) / float64(r.Messages), nil
}

// crowd measures how long a broadcast takes to reach a receiver, while so many others never read.
func crowd(mute int) func(*workload, *process, time.Duration) (float64, error) {
	return func(w *workload, p *process, d time.Duration) (float64, error) {
		c, l, err := w.client(p, d)
		if err != nil {
			return 0, err
		}
		defer c.Close()
		l.Measure = max(d, 10*time.Second) // the mute one's socket is full after a while
		for range mute {
			if err := c.ConnectMute(w.path); err != nil {
				return 0, err
			}
		}
		h, err := c.Crowd(l, 50*time.Millisecond)
		if err != nil {
			return 0, err
		}
		return float64(h.ValueAtQuantile(99)), nil
	}
}

func handshakeRate(w *workload, p *process, d time.Duration) (float64, error) {
	c, l, err := w.client(p, d)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	r, err := c.Handshakes(w.path, l)
	return float64(r.Messages) / r.Elapsed.Seconds(), err
}

// idle counts the memory of connections that only answer pings, against that of the first hundred.
func idle(w *workload, p *process, d time.Duration) (float64, error) {
	c, err := load.New(p.addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := c.Connect(w.path, 100); err != nil {
		return 0, err
	}
	before, err := p.rss()
	if err != nil {
		return 0, err
	}
	if err := c.Connect(w.path, w.conns); err != nil {
		return 0, err
	}
	if err := c.Idle(max(d, 6*time.Second)); err != nil { // over a ping and its pong
		return 0, err
	}
	after, err := p.rss()
	return float64(after-before) / 1024 / float64(w.conns), err
}

// farewell counts the descriptors that a server still has open of connections that are over. One connection stays, so
// that what a server opens for itself is there before and after.
func farewell(w *workload, p *process, _ time.Duration) (float64, error) {
	c, err := load.New(p.addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := c.Connect(w.path, 1); err != nil {
		return 0, err
	}
	if err := c.Idle(100 * time.Millisecond); err != nil {
		return 0, err
	}
	before, err := p.descriptors()
	if err != nil {
		return 0, err
	}
	if err := c.Farewell(w.path, side, 128); err != nil {
		return 0, err
	}
	left := 0
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); {
		now, err := p.descriptors()
		if err != nil {
			return 0, err
		}
		if left = max(0, now-before); left == 0 {
			break
		}
		if err := c.Idle(50 * time.Millisecond); err != nil {
			return 0, err
		}
	}
	return float64(left), nil
}

func latency(percentile float64) func(*workload, *process, time.Duration) (float64, error) {
	return func(w *workload, p *process, d time.Duration) (float64, error) {
		c, l, err := w.client(p, d)
		if err != nil {
			return 0, err
		}
		defer c.Close()
		h, err := c.Latency(l, gap/2)
		if err != nil {
			return 0, err
		}
		return float64(h.ValueAtQuantile(percentile)), nil
	}
}
