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

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	warmup = time.Second
	sample = 20 * time.Millisecond // between two looks at the memory
)

// measureAll runs the floods one after the other.
func measureAll(ctx context.Context, o options, binary string, chosen []flood, t *table) error {
	for i, f := range chosen {
		fmt.Fprintf(os.Stderr, "\r\033[K%d of %d: %s", i+1, len(chosen), f.name)
		r, err := measure(ctx, o, binary, f)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r.flood, r.err = f, err; err != nil {
			fmt.Fprintf(os.Stderr, "\r\033[K%s: %v\n", f.name, err)
		}
		t.rows = append(t.rows, r)
	}
	fmt.Fprint(os.Stderr, "\r\033[K")
	return nil
}

// measure runs one flood against a fresh server.
func measure(ctx context.Context, o options, binary string, f flood) (r row, err error) {
	s, err := serve(ctx, binary, f.files, f.args...)
	if err != nil {
		return r, err
	}
	defer s.stop()
	clients, err := connectPolite(s.addr, o.clients)
	if err != nil {
		return r, err
	}
	defer clients.stop()
	lasts := o.duration * time.Duration(max(1, f.lasts))
	if err := rest(ctx, warmup); err != nil {
		return r, err
	}
	clients.record()
	if r.base, err = watch(ctx, s, lasts); err != nil {
		return r, err
	}
	r.before = p99(clients.record())
	if err := s.forget(); err != nil {
		return r, err
	}
	r.seen, err = attack(ctx, f, s.addr, lasts)
	r.during = p99(clients.record())
	if _, r.peak, _ = s.memory(); err == nil {
		err = errors.Join(s.alive(), clients.settled(), newcomer(ctx, s))
	}
	return r, errors.Join(err, s.alive())
}

func p99(h *hdrhistogram.Histogram) time.Duration {
	return time.Duration(h.ValueAtQuantile(99)) * time.Microsecond
}

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

// attack runs the attacker, and returns what it has seen.
func attack(ctx context.Context, f flood, addr string, d time.Duration) (map[string]int, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-attack", f.name, "-target", addr, "-duration", d.String()) //nolint:gosec // itself
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", attackerEnv+"=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("the attacker: %w: %s", err, &errs)
	}
	seen := make(map[string]int)
	if err := json.Unmarshal(out.Bytes(), &seen); err != nil {
		return nil, fmt.Errorf("the attacker: %w", err)
	}
	return seen, nil
}

// attackerEnv tells the test binary that it is to be the command.
const attackerEnv = "WSX_FLOOD_ATTACKER"

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
