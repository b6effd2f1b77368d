package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	settleTime   = 2 * time.Minute // for everything to be acknowledged when nothing goes wrong any more
	tellEvery    = 2 * time.Second
	longestAway  = 8 * time.Second // for which the database is taken away; more than SQLite's lock is waited for
	shortestAway = time.Second
)

// drama is one run: the devices, the proxy that they send through, the server and its database.
type drama struct {
	options
	out     io.Writer
	db      database
	server  *server
	proxy   *proxy
	devices []*device
	away    atomic.Bool // the database
	outages atomic.Int32
}

func newDrama(o options, binary, dir string, db database, out io.Writer) (*drama, error) {
	d := &drama{options: o, out: out, db: db}
	var err error
	if d.server, err = startServer(binary, dir, db.address()); err != nil {
		return nil, err
	}
	if d.proxy, err = startProxy(d.server.address); err != nil {
		d.server.close()
		return nil, err
	}
	for i := range o.devices {
		device, err := newDevice(fmt.Sprintf("dev%03d", i), d.proxy.address(), o.rate)
		if err != nil {
			d.close()
			return nil, err
		}
		d.devices = append(d.devices, device)
	}
	return d, nil
}

// close ends what is still there.
func (d *drama) close() {
	d.proxy.close()
	d.server.close()
}

// play has everything happen, and compares in the end.
func (d *drama) play(ctx context.Context) (report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := d.server.await(ctx); err != nil {
		return report{}, err
	}
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { d.tell(ctx) })
	sending, stop := context.WithTimeout(ctx, d.duration)
	defer stop()
	for _, device := range d.devices {
		running.Go(func() { device.run(ctx, sending.Done()) })
	}
	if err := d.torment(ctx); err != nil {
		return report{}, err
	}
	<-sending.Done()
	d.proxy.calm()
	if err := d.settle(ctx); err != nil {
		return report{}, err
	}
	cancel()
	running.Wait()
	if err := d.server.stop(); err != nil {
		return report{}, err
	}
	return d.audit()
}

// torment kills the server at random moments, one in each of as many equal parts of the time, and takes the database
// away twice.
func (d *drama) torment(ctx context.Context) error {
	var both sync.WaitGroup
	began := time.Now()
	both.Go(func() {
		for i := range d.kills {
			part := d.duration / time.Duration(d.kills)
			if !sleep(ctx, time.Until(began.Add(time.Duration(i)*part+rand.N(part)))) {
				return
			}
			d.server.kill(ctx)
		}
	})
	var failed error
	both.Go(func() {
		length := min(longestAway, max(shortestAway, d.duration/10))
		for i, part := range []float64{0.3, 0.6} {
			if failed != nil || !sleep(ctx, time.Until(began.Add(time.Duration(part*float64(d.duration))))) {
				return
			}
			d.away.Store(true)
			failed = d.db.outage(ctx, i, length)
			d.away.Store(false)
			d.outages.Add(1)
		}
	})
	both.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	return failed
}

// sleep reports whether the time has passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// settle waits until the devices have nothing that is not acknowledged. What is left when the time is over is in the
// report.
func (d *drama) settle(ctx context.Context) error {
	for deadline := time.Now().Add(settleTime); time.Now().Before(deadline); {
		open := 0
		for _, device := range d.devices {
			if !device.settled() {
				open++
			}
		}
		if open == 0 {
			return nil
		}
		if !sleep(ctx, 50*time.Millisecond) {
			return ctx.Err()
		}
	}
	return nil
}

// tell writes a line now and then.
func (d *drama) tell(ctx context.Context) {
	began := time.Now()
	for sleep(ctx, tellEvery) {
		var sent, acked uint64
		for _, device := range d.devices {
			s := device.state()
			sent, acked = sent+s.sent, acked+s.acked
		}
		there := "there"
		if d.away.Load() {
			there = "AWAY"
		}
		_, _ = fmt.Fprintf(d.out, "%4.0f s  messages sent %-8d acknowledged %-8d kills %-4d cuts %-6d stalls %-6d database %s\n",
			time.Since(began).Seconds(), sent, acked, d.server.kills.Load(), d.proxy.cuts.Load(), d.proxy.stalls.Load(), there)
	}
}
