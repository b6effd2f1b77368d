package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// asCounter names the ledger of a counting agent, as which the test binary then behaves.
const asCounter = "TELEMETRY_AS_COUNTER"

// countingAgent is an agent that measures 1, 2, 3 … each some milliseconds, until there is a file called stop beside its
// ledger. It writes to the ledger what its spool has taken; so what is there has to arrive.
func countingAgent(ledger string) int {
	o, err := parseOptions(os.Args[1:], os.Stderr)
	if err != nil {
		return 2
	}
	a := &agent{
		url: o.agent, device: o.device, spool: o.spool, every: 10 * time.Millisecond,
		token:  func() (string, error) { return o.token, nil },
		ended:  func() bool { return false },
		sample: counter(ledger),
		log:    slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if err := a.run(context.Background()); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// counter goes on two behind the ledger's last number: the agent may have died between its spool and its ledger.
func counter(ledger string) func(context.Context) []sample {
	text, _ := os.ReadFile(ledger)
	next := 1
	if lines := strings.Fields(string(text)); len(lines) > 0 {
		next, _ = strconv.Atoi(lines[len(lines)-1])
		next += 2
	}
	f, err := os.OpenFile(ledger, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	kept := 0
	return func(context.Context) []sample {
		if kept > 0 { // it is asked for the next one, so it has kept that
			_, _ = fmt.Fprintln(f, kept)
			kept = 0
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(ledger), "stop")); err == nil {
			return nil
		}
		kept, next = next, next+1
		return []sample{{"n", float64(kept), time.Now().UTC()}}
	}
}

// fleet is counting agents and the server that they send to, all processes.
type fleet struct {
	t       *testing.T
	dir     string
	address string
	server  *exec.Cmd
	agents  []*exec.Cmd
}

func (f *fleet) device(i int) string { return fmt.Sprint("dev", i) }
func (f *fleet) ledger(i int) string { return filepath.Join(f.dir, f.device(i)+".ledger") }
func (f *fleet) db() string          { return filepath.Join(f.dir, "telemetry.db") }

func (f *fleet) startServer() {
	f.server = f.run(asProgram+"=1", "-addr", f.address, "-db", f.db(), "-self=false")
}

// startAgent starts the i-th agent, or starts it again with the spool that it had.
func (f *fleet) startAgent(i int, token string) {
	f.agents[i] = f.run(asCounter+"="+f.ledger(i), "-agent", "ws://"+f.address+"/ingest", "-device", f.device(i),
		"-token", token, "-spool", filepath.Join(f.dir, "spool"))
}

func (f *fleet) run(env string, args ...string) *exec.Cmd {
	f.t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir, cmd.Env = f.dir, append(os.Environ(), env, "WSX_KEY=")
	said := new(bytes.Buffer)
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		kill(cmd)
		if f.t.Failed() {
			f.t.Logf("%v said\n%.4000s", args, said)
		}
	})
	return cmd
}

// kill ends a process that has no chance to say goodbye. It may be called twice.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// up reports whether the server answers.
func (f *fleet) up() bool {
	answer, err := http.Get("http://" + f.address + "/healthz")
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// Five agents send while their server, and one of them, are killed at random moments. Whatever an agent has taken into
// its spool is in the database in the end, once, in the order in which it was measured.
func TestKillingLosesNothingAndStoresNothingTwice(t *testing.T) {
	f := newFleet(t, 5)
	const kills = 6
	for i := range kills {
		<-time.After(300*time.Millisecond + rand.N(700*time.Millisecond)) // real processes, real time
		kill(f.server)
		if i == kills/2 {
			kill(f.agents[0])
			f.startAgent(0, f.token(0))
		}
		f.startServer()
		eventually(t, "the server is back", f.up)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "stop"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	f.awaitAll()
	kill(f.server)
	s := newStore(t, f.db())
	for i := range f.agents {
		kill(f.agents[i])
		f.compare(s, i)
	}
}

func newFleet(t *testing.T, agents int) *fleet {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("a killed process may keep its files for a while on Windows")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{t: t, dir: t.TempDir(), address: ln.Addr().String(), agents: make([]*exec.Cmd, agents)}
	_ = ln.Close()
	f.startServer()
	eventually(t, "the server is up", f.up)
	for i := range agents {
		f.startAgent(i, f.token(i))
	}
	return f
}

func (f *fleet) token(i int) string {
	f.t.Helper()
	key, err := loadKey(keyFile(f.db()), quiet())
	if err != nil {
		f.t.Fatal(err)
	}
	token, err := signer{key, time.Hour}.token(f.device(i))
	if err != nil {
		f.t.Fatal(err)
	}
	return token
}

// awaitAll waits until the agents have nothing that is not acknowledged.
func (f *fleet) awaitAll() {
	f.t.Helper()
	s := newStore(f.t, f.db())
	eventually(f.t, "everything is stored", func() bool {
		for i := range f.agents {
			kept, stored, err := f.read(s, i)
			if err != nil || len(kept) == 0 || len(stored) == 0 || stored[len(stored)-1] < kept[len(kept)-1] {
				return false
			}
		}
		return true
	})
}

// read returns what the i-th agent has kept, and what is stored of it.
func (f *fleet) read(s store, i int) (kept, stored []int, err error) {
	text, err := os.ReadFile(f.ledger(i))
	for line := range strings.FieldsSeq(string(text)) {
		n, failed := strconv.Atoi(line)
		kept, err = append(kept, n), errors.Join(err, failed)
	}
	readings, failed := s.readings(f.t.Context(), filter{device: f.device(i), limit: 1e6})
	for _, r := range readings {
		stored = append(stored, int(r.Value))
	}
	return kept, stored, errors.Join(err, failed)
}

// compare expects everything that the i-th agent has kept: none missing, none twice, in order.
func (f *fleet) compare(s store, i int) {
	f.t.Helper()
	kept, stored, err := f.read(s, i)
	if err != nil || len(kept) < 50 {
		f.t.Fatalf("%s: only %d kept (%v)", f.device(i), len(kept), err)
	}
	have := make(map[int]bool)
	for at, n := range stored {
		if at > 0 && n <= stored[at-1] {
			f.t.Errorf("%s: %d comes after %d", f.device(i), n, stored[at-1])
		}
		have[n] = true
	}
	missing := 0
	for _, n := range kept {
		if !have[n] {
			missing++
		}
	}
	if missing > 0 || len(stored) > len(kept)+2 {
		f.t.Errorf("%s: %d kept, %d stored, %d missing", f.device(i), len(kept), len(stored), missing)
	}
}
