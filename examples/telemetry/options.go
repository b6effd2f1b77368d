package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/fiberwsx/wsx/auth"
)

// options is what the command line says.
type options struct {
	addr     string        // where the server listens
	db       string        // path of the SQLite file, or URL of the PostgreSQL
	demo     bool          // hand out tokens to this machine
	self     bool          // run the agent inside the server
	lifetime time.Duration // of the tokens that this program signs
	mint     string        // print a token for this device and end
	agent    string        // run as an agent that streams to this URL
	device   string        // the agent's name
	token    string        // the agent's token
	spool    string        // where the agent keeps what is not acknowledged
}

const usage = `Telemetry takes readings from devices over WebSockets, stores them in SQLite or PostgreSQL and shows
them live.

  telemetry                                         the server, and an agent that streams this machine's figures
  telemetry -mint NAME                              prints a token for a device
  telemetry -agent URL -device NAME -token TOKEN    an agent alone, on this machine or another

The tokens are signed with WSX_KEY, or with the key kept beside the database; with PostgreSQL
that is telemetry.db.key in the working directory.

`

const defaultDB = "telemetry.db"

// parseOptions reads the command line. What it says about a mistake is already on stderr when it returns.
func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("telemetry", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() { _, _ = io.WriteString(stderr, usage); fs.PrintDefaults() }
	fs.StringVar(&o.addr, "addr", "127.0.0.1:3000", "`HOST:PORT` to listen on")
	fs.StringVar(&o.db, "db", defaultDB, "the database: a `FILE` of SQLite, created when missing, or postgres://USER@HOST:PORT/NAME; its password is better kept in PGPASSWORD or a passfile")
	fs.BoolVar(&o.demo, "demo", true, "give tokens to programs on this machine at /api/token")
	fs.BoolVar(&o.self, "self", true, "stream this machine's own figures to the server")
	fs.DurationVar(&o.lifetime, "lifetime", 24*time.Hour, "how long a token is good for")
	fs.StringVar(&o.mint, "mint", "", "print a token for the device `NAME` and end")
	fs.StringVar(&o.agent, "agent", "", "run as an agent that streams to this `URL`, ws://HOST:PORT/ingest")
	fs.StringVar(&o.device, "device", machineName(), "the agent's `NAME`")
	fs.StringVar(&o.token, "token", os.Getenv("WSX_TOKEN"), "the agent's `TOKEN`; WSX_TOKEN keeps it out of the list of processes")
	fs.StringVar(&o.spool, "spool", "", "the agent's `DIR` for what is not acknowledged yet, which then outlives the agent; one agent a name and DIR")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	err := o.check(fs.Args())
	fs.Visit(func(f *flag.Flag) { // what a shell makes of a variable that is not set would start the server
		if err == nil && f.Value.String() == "" {
			err = fmt.Errorf("-%s is empty", f.Name)
		}
	})
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "telemetry:", err)
		return o, err
	}
	return o, nil
}

func (o options) check(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("%q is not a flag; see -help", rest[0])
	}
	if kind, _, found := strings.Cut(o.db, "://"); found && !isPostgres(o.db) {
		return fmt.Errorf("-db wants a file or postgres://USER@HOST:PORT/NAME, and there is no store for %q", kind)
	}
	if o.lifetime <= 0 {
		return errors.New("-lifetime must be more than zero")
	}
	if o.mint != "" {
		return naming("-mint", checkDevice(o.mint))
	}
	if err := checkDevice(o.device); err != nil {
		return naming("-device", err)
	}
	if o.agent == "" {
		if o.spool != "" {
			return errors.New("-spool is for -agent; what the server measures itself needs none")
		}
		return nil
	}
	u, err := url.Parse(o.agent)
	if err != nil || u.Host == "" || (u.Scheme != "ws" && u.Scheme != "wss") {
		return errors.New("-agent wants an address like ws://HOST:PORT/ingest")
	}
	if o.token == "" {
		return errors.New("-agent needs -token; on the server, `telemetry -mint NAME` prints one")
	}
	if auth.CheckToken(o.token) != nil {
		return errors.New("-token is none: it has a space or a character that a token cannot have, or is too long")
	}
	return nil
}

func naming(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %w", what, err)
}

// machineName is what the agent calls itself unless told.
func machineName() string {
	name, err := os.Hostname()
	if err != nil || checkDevice(name) != nil {
		return "this-machine"
	}
	return name
}
