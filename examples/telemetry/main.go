// Command telemetry takes readings from devices over WebSockets, stores them in SQLite or PostgreSQL in batches and
// shows them live in a browser. It is one program: the server, and the agent that makes a machine a device.
//
// Copy for a server of your own ingest.go, delivery.go, store.go and one of the two databases, and for a device
// session.go, backlog.go, spool.go and agent.go. Change in the server decodeBatch and message.readings, which say what
// a message holds, the tables, and Auth in server.go; in the device sample, which says what is measured. README.md has
// a row for each file, and says which two rules hold it together.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program; it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	slog.SetDefault(log) // for what wsx says outside of the hubs
	switch {
	case o.mint != "":
		err = mint(o, stdout, log)
	case o.agent != "":
		err = runAgent(o, log)
	default:
		err = serve(o, stdout, log)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "telemetry:", err)
		return 1
	}
	return 0
}

// serve runs the server until a signal ends it. Only then does it close the database: what the drain stored last is
// in it.
func serve(o options, out io.Writer, log *slog.Logger) error {
	s, err := newServer(o, log)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", o.addr)
	if err != nil {
		return errors.Join(fmt.Errorf("%w; -addr chooses another address", err), s.close())
	}
	address := reachable(ln.Addr())
	_, _ = io.WriteString(out, welcome(address, o))
	s.warn(ln.Addr().String())
	stop := func() {}
	if o.self {
		stop = s.startAgent("ws://"+address+"/ingest", o.device)
	}
	err = s.serve(ln)
	stop()
	return errors.Join(err, s.close())
}

// startAgent runs an agent for this machine, which comes in over a socket like every other. stop ends it and waits.
func (s *server) startAgent(url, device string) (stop func()) {
	a := &agent{
		url:    url,
		device: device,
		token:  func() (string, error) { return s.signer.token(device) },
		ended:  s.ingest.hub.Draining, // it does not try to reach a server that is going away
		sample: newMachine(s.log).sample,
		log:    s.log,
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := a.run(ctx); err != nil {
			s.log.Error("the agent inside the server has ended", "error", err)
		}
	})
	return func() { cancel(); done.Wait() }
}

// warn says in the log what an operator should know before other machines can reach the server.
func (s *server) warn(address string) {
	if s.demo {
		s.log.Warn("-demo: any program on this machine gets tokens at /api/token; -demo=false ends that")
	}
	if !isLoopback(address) {
		s.log.Warn("whoever can reach this address can watch every device; devices alone need a token", "address", address)
	}
}

// reachable is the address at which this machine reaches a listener.
func reachable(address net.Addr) string {
	host, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return address.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// welcome says where the page is and how to add a device.
func welcome(address string, o options) string {
	program := command()
	flags := ""
	if o.db != defaultDB && !isPostgres(o.db) { // whose password is nobody's business
		flags = fmt.Sprintf(" -db %q", o.db)
	}
	return fmt.Sprintf(`
  Telemetry is at  http://%s

  To add a device, run an agent on it with a token of its own:
  %s -agent ws://%s/ingest -device NAME -token "$(%s%s -mint NAME)"

`, address, program, address, program, flags)
}

// command is how this program was started, as far as it can be told: go run leaves nothing behind that could be
// started again.
func command() string {
	if strings.Contains(filepath.ToSlash(os.Args[0]), "/go-build") {
		return "go run ./examples/telemetry"
	}
	return os.Args[0]
}
