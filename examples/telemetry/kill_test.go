package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/examples/internal/testkit"
)

// asCounter names the ledger of a counting agent, as which the test binary then behaves.
const asCounter = "TELEMETRY_AS_COUNTER"

// countingAgent is an agent that measures 1, 2, 3 … each some milliseconds, until there is a file called stop beside
// its ledger. It writes to the ledger what its spool has taken; so what is there has to arrive.
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

// killable is a counting agent as a process of its own, which goes on where it was when it is started again.
type killable struct {
	t      *testing.T
	server *running
	dir    string
	device string
	token  string
	cmd    *exec.Cmd
}

func newKillable(t *testing.T, server *running, device string) *killable {
	t.Helper()
	token, err := server.signer.token(device)
	if err != nil {
		t.Fatal(err)
	}
	a := &killable{t: t, server: server, dir: t.TempDir(), device: device, token: token}
	a.start()
	return a
}

func (a *killable) ledger() string { return filepath.Join(a.dir, "ledger") }

func (a *killable) start() {
	a.t.Helper()
	a.cmd = exec.Command(os.Args[0], "-agent", "ws://"+a.server.address+"/ingest", "-device", a.device,
		"-token", a.token, "-spool", a.dir)
	a.cmd.Env = append(os.Environ(), asCounter+"="+a.ledger())
	cmd, said := a.cmd, new(bytes.Buffer)
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() {
		kill(cmd)
		if a.t.Failed() {
			a.t.Logf("%s said\n%.4000s", a.device, said)
		}
	})
}

// kill ends a process that has no chance to say goodbye. It may be called twice.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// Three agents are killed at random moments. Whatever one has taken into its spool is in the database in the end, once,
// in the order in which it was measured. What becomes of a server that is killed the command in ledger shows.
func TestKillingAnAgentLosesNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a killed process may keep its files for a while on Windows")
	}
	r := start(t, newDB(t))
	agents := make([]*killable, 3)
	for i := range agents {
		agents[i] = newKillable(t, r, fmt.Sprint("dev", i))
	}
	for range 3 {
		for _, a := range agents {
			<-time.After(100*time.Millisecond + rand.N(300*time.Millisecond)) // real processes, real time
			kill(a.cmd)
			a.start()
		}
	}
	for _, a := range agents {
		testkit.Eventually(t, "it has kept something", func() bool {
			kept, _, err := a.read()
			return err == nil && len(kept) >= 30
		})
		if err := os.WriteFile(filepath.Join(a.dir, "stop"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, "everything is stored", func() bool {
		return !slices.ContainsFunc(agents, func(a *killable) bool {
			kept, stored, err := a.read()
			return err != nil || len(stored) == 0 || stored[len(stored)-1] < kept[len(kept)-1]
		})
	})
	for _, a := range agents {
		kill(a.cmd)
		a.compare()
	}
}

// read returns what the agent has kept, and what is stored of it.
func (a *killable) read() (kept, stored []int, err error) {
	text, err := os.ReadFile(a.ledger())
	for line := range strings.FieldsSeq(string(text)) {
		n, failed := strconv.Atoi(line)
		kept, err = append(kept, n), errors.Join(err, failed)
	}
	readings, failed := a.server.store.readings(a.t.Context(), filter{device: a.device, limit: 1e6})
	for _, r := range readings {
		stored = append(stored, int(r.Value))
	}
	return kept, stored, errors.Join(err, failed)
}

// compare expects everything that the agent has kept: none missing, none twice, in order. Besides there may be one for
// each time it was killed, between its spool and its ledger.
func (a *killable) compare() {
	a.t.Helper()
	kept, stored, err := a.read()
	if err != nil {
		a.t.Fatal(err)
	}
	have := make(map[int]bool)
	for at, n := range stored {
		if at > 0 && n <= stored[at-1] {
			a.t.Errorf("%s: %d comes after %d", a.device, n, stored[at-1])
		}
		have[n] = true
	}
	missing := slices.DeleteFunc(slices.Clone(kept), func(n int) bool { return have[n] })
	if len(missing) > 0 || len(stored) > len(kept)+3 {
		a.t.Errorf("%s: %d kept, %d stored, missing are %v", a.device, len(kept), len(stored), missing)
	}
}
