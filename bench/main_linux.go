package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"
)

// options are what the command line says.
type options struct {
	full      bool
	list      bool
	servers   string
	workloads string
	rounds    int
	duration  time.Duration
	json      string
	markdown  string
}

func main() {
	var o options
	flag.BoolVar(&o.full, "full", false, "all servers and workloads; without, the ones that have a budget")
	flag.BoolVar(&o.list, "list", false, "print the workloads and servers")
	flag.StringVar(&o.servers, "servers", "", "`regexp` of the servers to measure")
	flag.StringVar(&o.workloads, "workloads", "", "`regexp` of the workloads to measure")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds")
	flag.DurationVar(&o.duration, "duration", 700*time.Millisecond, "measure each for `D`")
	flag.StringVar(&o.json, "json", "", "write the results as JSON to `FILE`")
	flag.StringVar(&o.markdown, "markdown", "", "put the tables between the markers of `FILE`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func run(ctx context.Context, o options) error {
	ws, ps, err := o.choose()
	if err != nil {
		return err
	}
	if o.list {
		list(ws, ps)
		return nil
	}
	dir, err := os.MkdirTemp("", "wsx-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := build(ctx, dir, ps); err != nil {
		return err
	}
	r := newResults(ws, ps, o)
	err = measure(ctx, o, dir, r)
	if r.rounds() > 0 {
		r.print(os.Stdout)
		err = errors.Join(err, r.save(o))
	}
	return err
}

// choose returns the workloads and servers that are asked for.
func (o options) choose() ([]workload, []program, error) {
	wanted, err := regexp.Compile(o.workloads)
	if err != nil {
		return nil, nil, fmt.Errorf("-workloads: %w", err)
	}
	served, err := regexp.Compile(o.servers)
	if err != nil {
		return nil, nil, fmt.Errorf("-servers: %w", err)
	}
	ws := slices.DeleteFunc(workloads(), func(w workload) bool {
		return !wanted.MatchString(w.name) || !w.quick && !o.full && o.workloads == ""
	})
	ps := slices.DeleteFunc(programs(), func(p program) bool {
		return !served.MatchString(p.name) || !p.quick && !o.full && o.servers == ""
	})
	if len(ws) == 0 || len(ps) == 0 {
		return nil, nil, errors.New("no workload or no server has that name; -list -full prints them all")
	}
	return ws, ps, nil
}

func list(ws []workload, ps []program) {
	for _, w := range ws {
		fmt.Printf("%-24s %s\n", w.name, w.what)
	}
	fmt.Println()
	for _, p := range ps {
		fmt.Printf("%-24s %s %v\n", p.name, p.pkg, p.args)
	}
}

// measure runs every server under every workload, round after round.
func measure(ctx context.Context, o options, dir string, r *results) error {
	steps := o.rounds * len(r.workloads) * len(r.programs)
	began, step := time.Now(), 0
	defer fmt.Fprintln(os.Stderr)
	for round := range o.rounds {
		for _, w := range r.workloads {
			for i := range r.programs { // another one first in each round
				p := r.programs[(i+round)%len(r.programs)]
				if !w.fits(p) {
					step++
					continue
				}
				progress(round, step, steps, began, w.name+", "+p.name)
				step++
				v, err := one(ctx, dir, p, w, o.duration)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				r.add(w.name, p.name, v, err)
			}
		}
	}
	return r.failed()
}

func progress(round, step, steps int, began time.Time, what string) {
	left := "?"
	if step > 0 {
		left = (time.Since(began) / time.Duration(step) * time.Duration(steps-step)).Round(time.Second).String()
	}
	fmt.Fprintf(os.Stderr, "\r\033[Kround %d, %d of %d, %s left: %s", round+1, step+1, steps, left, what)
}

// one measures a server once, from a fresh start.
func one(ctx context.Context, dir string, p program, w workload, d time.Duration) (v float64, err error) {
	args := slices.Clone(p.args)
	if w.idle {
		args = append(args, p.idle...)
	}
	if w.tls {
		flags, err := certificate(dir)
		if err != nil {
			return 0, err
		}
		args = append(args, flags...)
	}
	server, err := start(ctx, filepath.Join(dir, filepath.Base(p.pkg)), args, max(1, w.cores))
	if err != nil {
		return 0, err
	}
	defer server.stop()
	err = pinned([]int{clientCore}, func() error {
		v, err = w.run(&w, server, d)
		return err
	})
	return v, err
}
