package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

const (
	warmup = time.Second
	sample = 20 * time.Millisecond // between two looks at the memory
	rounds = 3                     // of as many pairs as wanted, at most
)

// measureAll runs the floods one after the other.
func measureAll(ctx context.Context, o options, binary string, chosen []flood, t *table) error {
	for i, f := range chosen {
		r, err := measure(ctx, o, binary, f, func(pair, of int) {
			fmt.Fprintf(os.Stderr, "\r\033[K%d of %d: %s, pair %d of %d", i+1, len(chosen), f.name, pair, of)
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r.err = err; err != nil {
			fmt.Fprintf(os.Stderr, "\r\033[K%s: %v\n", f.name, err)
		}
		t.rows = append(t.rows, r)
	}
	fmt.Fprint(os.Stderr, "\r\033[K")
	return nil
}

// measure runs one flood against a fresh server: quiet, flood, quiet, flood, as many pairs as wanted, and as many again
// while they leave open what they say. It tells of each.
func measure(ctx context.Context, o options, binary string, f flood, tell func(pair, of int)) (r row, err error) {
	r.flood = f
	s, err := serve(ctx, binary, o.cores, f.files, f.args...)
	if err != nil {
		return r, err
	}
	defer s.stop()
	clients, err := connectPolite(s.addr, o.clients)
	if err != nil {
		return r, err
	}
	defer clients.stop()
	for round := 1; err == nil && round <= rounds && (round == 1 || r.undecided()); round++ {
		for of := round * o.pairs; err == nil && len(r.pairs) < of; {
			tell(len(r.pairs)+1, of)
			err = r.pair(ctx, o, s, clients)
		}
	}
	if _, r.peak, _ = s.memory(); err == nil {
		err = errors.Join(s.alive(), clients.settled(), newcomer(ctx, s))
	}
	return r, errors.Join(err, s.alive())
}

// pair measures without the flood and then with it. The first flood lasts as long as this one has to, and with it
// begins what is known of the memory.
func (r *row) pair(ctx context.Context, o options, s *server, clients *polite) error {
	var p pair
	if err := rest(ctx, warmup); err != nil {
		return err
	}
	if _, err := clients.record(); err != nil {
		return err
	}
	used := s.used()
	base, err := watch(ctx, s, o.duration)
	if err != nil {
		return err
	}
	p.quietLoad = load(s.used()-used, o.duration)
	if p.quiet, err = clients.record(); err != nil {
		return err
	}
	lasts := o.duration
	if len(r.pairs) == 0 {
		lasts *= time.Duration(max(1, r.flood.lasts))
		if r.base = base; s.forget() != nil {
			return errors.New("the peak of the memory cannot be set back")
		}
	}
	used = s.used()
	report, err := attack(ctx, r.flood, s.addr, lasts)
	p.load = load(s.used()-used, lasts)
	if err != nil {
		return err
	}
	r.add(report, lasts)
	p.flooded, err = clients.record()
	r.pairs = append(r.pairs, p)
	return err
}

// load returns what part of a processor was used.
func load(used, of time.Duration) float64 { return used.Seconds() / of.Seconds() }

// rest waits.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// watch returns the median of the resident memory over a time.
func watch(ctx context.Context, s *server, d time.Duration) (int, error) {
	var samples []int
	for end := time.Now().Add(d); time.Now().Before(end); {
		now, _, err := s.memory()
		if err != nil {
			return 0, err
		}
		samples = append(samples, now)
		if err := rest(ctx, sample); err != nil {
			return 0, err
		}
	}
	slices.Sort(samples)
	return samples[len(samples)/2], nil
}

// attack runs the attacker, and returns what it has to tell.
func attack(ctx context.Context, f flood, addr string, d time.Duration) (r report, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self, "-attack", f.name, "-target", addr, "-duration", d.String()) //nolint:gosec // itself
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", childEnv+"=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return r, fmt.Errorf("the attacker: %w: %s", err, &errs)
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return r, fmt.Errorf("the attacker: %w", err)
	}
	return r, nil
}

// childEnv tells the test binary that it is to be the command.
const childEnv = "WSX_FLOOD_CHILD"

// newcomer checks that somebody new is served, at once or when what the attacker has left is cleared away.
func newcomer(ctx context.Context, s *server) (err error) {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		var c *peer
		if c, err = dial(s.addr, "/echo", nil); err == nil {
			c.reset()
			return nil
		}
		if err := rest(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("nobody new is served: %w", err)
}
