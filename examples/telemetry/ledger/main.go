// Command ledger shows that the telemetry server loses nothing that it has acknowledged and stores nothing twice: it
// runs the server as a process and devices that send to it over a network that cuts, stalls and splits, kills the
// server again and again, takes its database away for a while, and then compares what the devices were told with what
// is stored.
//
//	go run ./examples/telemetry/ledger -db sqlite
//	go run ./examples/telemetry/ledger -db postgres
//
// It ends with 1 when a reading is missing, stored twice or out of order, or anything else is not as it must be.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options is what the command line says.
type options struct {
	devices  int
	kills    int
	rate     float64 // messages a second of each device
	duration time.Duration
	db       string
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("ledger", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.IntVar(&o.devices, "devices", 100, "how many devices send")
	fs.IntVar(&o.kills, "kills", 20, "how often the server is killed")
	fs.Float64Var(&o.rate, "rate", 10, "messages a second of each device")
	fs.DurationVar(&o.duration, "duration", 2*time.Minute, "how long the devices send")
	fs.StringVar(&o.db, "db", "sqlite", "sqlite, or postgres, which must be installed")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	var err error
	switch {
	case fs.NArg() > 0:
		err = fmt.Errorf("%q is not a flag; see -help", fs.Arg(0))
	case o.devices < 1 || o.kills < 0 || o.rate <= 0 || o.duration <= 0:
		err = errors.New("-devices, -rate and -duration must be more than zero")
	case o.db != "sqlite" && o.db != "postgres":
		err = errors.New("-db is sqlite or postgres")
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "ledger:", err)
	}
	return o, err
}

// run is the program; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	r, err := rehearse(ctx, o, stdout)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "ledger:", err)
		return 1
	}
	_, _ = io.WriteString(stdout, r.table())
	if faults := r.faults(); len(faults) > 0 {
		for _, fault := range faults {
			_, _ = fmt.Fprintln(stdout, "VIOLATED:", fault)
		}
		return 1
	}
	_, _ = fmt.Fprintln(stdout, "every acknowledged reading is stored, once and in order")
	return 0
}

// rehearse makes what is needed in a folder of its own, and deletes it in the end.
func rehearse(ctx context.Context, o options, out io.Writer) (_ report, err error) {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		return report{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	binary, err := build(ctx, dir)
	if err != nil {
		return report{}, err
	}
	db, err := openDatabase(o.db, dir)
	if err != nil {
		return report{}, err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	d, err := newDrama(o, binary, dir, db, out)
	if err != nil {
		return report{}, err
	}
	defer d.close()
	return d.play(ctx)
}

func build(ctx context.Context, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "telemetry.exe")
	const server = "github.com/fiberwsx/wsx/examples/telemetry"
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, server).CombinedOutput() //nolint:gosec // into a folder of its own
	if err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", server, err, out)
	}
	return binary, nil
}
