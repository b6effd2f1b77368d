package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// options are what the command line says.
type options struct {
	floods   string
	list     bool
	clients  int
	duration time.Duration
	connects int
	markdown bool
	pairs    int
	cores    int

	attack string // what this process does, as the attacker
	polite bool   // it is the polite clients
	target string
}

func main() {
	var o options
	flag.StringVar(&o.floods, "floods", "", "`regexp` of the floods to run")
	flag.BoolVar(&o.list, "list", false, "print the floods, and the rates of their attackers")
	flag.IntVar(&o.clients, "clients", 200, "polite clients")
	flag.DurationVar(&o.duration, "duration", 3*time.Second, "run each flood for `D`, and as long without; some take a multiple the first time")
	flag.IntVar(&o.pairs, "pairs", 9, "run each flood so many times, and before each time without; up to three times as often where that decides nothing")
	flag.IntVar(&o.cores, "server-cores", 1, "processors of the server: 1, or 2, of which the second is the clients' too")
	flag.IntVar(&o.connects, "connects", 100_000, "connects of each kind; 0: none")
	flag.BoolVar(&o.markdown, "markdown", false, "print the tables as Markdown")
	flag.StringVar(&o.attack, "attack", "", "be the attacker of that `flood`; the command starts itself with this")
	flag.BoolVar(&o.polite, "polite", false, "be the polite clients; likewise")
	flag.StringVar(&o.target, "target", "", "`HOST:PORT` to connect to, for -attack and -polite")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "flood:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

func run(ctx context.Context, o options) error {
	if o.attack != "" {
		return beAttacker(ctx, o)
	}
	if o.polite {
		return bePolite(ctx, o)
	}
	if o.cores != 1 && o.cores != 2 {
		return fmt.Errorf("-server-cores is %d; it can be 1 or 2", o.cores)
	}
	chosen, err := o.choose()
	if err != nil {
		return err
	}
	if o.list {
		for _, f := range chosen {
			fmt.Printf("%-18s %s\n", f.name, f.what)
		}
		return nil
	}
	dir, err := os.MkdirTemp("", "wsx-flood")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "server")
	if err := build(ctx, binary); err != nil {
		return err
	}
	if err := ownCore(clientCore); err != nil {
		return err
	}
	var t table
	err = measureAll(ctx, o, binary, chosen, &t)
	t.print(os.Stdout, o.markdown)
	if err == nil && o.connects > 0 {
		err = connectAll(ctx, o, binary)
	}
	return errors.Join(err, t.failed())
}

func (o options) choose() ([]flood, error) {
	wanted, err := regexp.Compile(o.floods)
	if err != nil {
		return nil, fmt.Errorf("-floods: %w", err)
	}
	chosen := slices.DeleteFunc(floods(), func(f flood) bool { return !wanted.MatchString(f.name) })
	if len(chosen) == 0 && o.connects == 0 {
		return nil, errors.New("no flood has that name; -list prints them all")
	}
	return chosen, nil
}

// build builds bench/server, from its own module or from anywhere in the workspace.
func build(ctx context.Context, binary string) error {
	const server = "github.com/fiberwsx/wsx/bench/server"
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, server).CombinedOutput() //nolint:gosec // into a folder of its own
	if err != nil {
		return fmt.Errorf("building the server (run it inside the repository): %w\n%s", err, out)
	}
	return nil
}

// ownCore keeps this process on one processor.
func ownCore(core int) error {
	runtime.GOMAXPROCS(1)
	return eachThread(func(tid int) error { return pin(tid, core) })
}
