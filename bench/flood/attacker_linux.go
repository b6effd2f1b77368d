package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// attacker is the process that floods.
type attacker struct {
	addr  string
	began time.Time
	until time.Time

	frames, connects, requests atomic.Int64 // what it did

	mu   sync.Mutex
	seen map[string]int // what the server did, and how often
	held []net.Conn     // until the end
}

// report is what it tells at the end.
type report struct {
	Seen                       map[string]int
	Frames, Connects, Requests int64
}

// beAttacker runs one attack, and prints what it has seen.
func beAttacker(ctx context.Context, o options) error {
	if err := beNice(); err != nil {
		return fmt.Errorf("taking a low priority: %w", err)
	}
	for _, f := range floods() {
		if f.name != o.attack {
			continue
		}
		now := time.Now()
		a := &attacker{addr: o.target, began: now, until: now.Add(o.duration), seen: make(map[string]int)}
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.attack(a)
		}()
		select { // what hangs is left behind
		case <-done:
		case <-ctx.Done():
		case <-time.After(time.Until(a.until) + time.Second):
		}
		<-time.After(time.Until(a.until))
		return json.NewEncoder(os.Stdout).Encode(a.told())
	}
	return fmt.Errorf("no flood is called %q", o.attack)
}

// beNice takes a priority that is 19 below that of the polite clients, or the lowest, and no real-time one.
func beNice() error {
	const lowest = 19
	inverse, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // of a thread, and 20 less it
	if err != nil {
		return err
	}
	nice := min(lowest, 20-inverse+lowest)
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL, Nice: int32(nice)}
	return eachThread(func(tid int) error { return unix.SchedSetAttr(tid, &attr, 0) })
}

func (a *attacker) told() report {
	a.mu.Lock()
	defer a.mu.Unlock()
	return report{maps.Clone(a.seen), a.frames.Load(), a.connects.Load(), a.requests.Load()}
}

func (a *attacker) over() bool { return !time.Now().Before(a.until) }

// saw counts what the server did.
func (a *attacker) saw(what string, times int) {
	if what == "" || times == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen[what] += times
}

// hold keeps a connection open to the end, whatever the server makes of it.
func (a *attacker) hold(nc net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held = append(a.held, nc)
}

// open opens a connection.
func (a *attacker) open(mute bool) (net.Conn, error) {
	a.connects.Add(1)
	return open(a.addr, mute)
}

// dial connects; nil when that failed, which counts.
func (a *attacker) dial(path string, mute bool, fields ...string) *peer {
	p, err := dial(a.addr, path, func() (net.Conn, error) { return a.open(mute) }, fields...)
	if err != nil {
		if !a.over() {
			a.saw(told(err), 1)
		}
		return nil
	}
	_ = p.nc.SetWriteDeadline(a.until)
	return p
}

// each has n goroutines call f, and waits for them.
func (a *attacker) each(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// arriving is how many of those that stay come in a second: a thousand at once would be a flood of handshakes, and hide
// what they do then.
const arriving = 400

// stay has n goroutines call f, which begin one after the other, and waits for them.
func (a *attacker) stay(n int, f func(i int)) {
	p := a.pace(arriving)
	a.each(n, func(i int) {
		p.wait(1)
		f(i)
	})
}

// again calls f from so many goroutines until the time is over, so many times a second.
func (a *attacker) again(workers int, rate float64, f func(i int)) {
	p := a.pace(rate)
	a.each(workers, func(int) {
		for {
			i := p.wait(1)
			if a.over() {
				return
			}
			f(i)
		}
	})
}

// pacer spreads what several goroutines do over the time.
type pacer struct {
	a    *attacker
	rate float64 // a second
	n    atomic.Int64
}

func (a *attacker) pace(rate float64) *pacer { return &pacer{a: a, rate: rate} }

// wait waits until n more may be done, and returns how many have been before. At the end it waits no longer.
func (p *pacer) wait(n int) int {
	before := p.n.Add(int64(n)) - int64(n)
	due := p.a.began.Add(time.Duration(float64(before) / p.rate * float64(time.Second)))
	if due.After(p.a.until) {
		due = p.a.until
	}
	if d := time.Until(due); d > 0 {
		<-time.After(d)
	}
	return int(before)
}

// pour writes a block of n frames over and over until the server ends the connection, and returns how it did.
func (a *attacker) pour(p *peer, pace *pacer, n int, block []byte) string {
	fate := make(chan string, 1)
	go func() {
		fate <- p.fate(a.until)
		p.reset()
	}()
	for {
		pace.wait(n)
		if a.over() {
			break
		}
		if _, err := p.nc.Write(block); err != nil {
			break
		}
		a.frames.Add(int64(n))
	}
	return <-fate
}
