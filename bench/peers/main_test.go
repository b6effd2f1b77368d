// Package peers_test runs the servers that wsx is measured against as the benchmark does: built, started, and driven
// over sockets. A peer that answers wrong would be measured for work that it does not do.
package peers_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/wsxtest"
)

// binaries is the folder of the servers.
var binaries string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "wsx-peers")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if out, err := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./...").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the servers: %v\n%s", err, out)
		return 1
	}
	binaries = dir
	return m.Run()
}

// server is a way to start one.
type server struct {
	name      string
	args      []string
	heartbeat bool // takes -ping-interval
	tls       bool // takes -tls-cert and -tls-key
}

var servers = []server{
	{name: "contrib", heartbeat: true, tls: true},
	{name: "contrib", args: []string{"-mode", "writer"}, heartbeat: true},
	{name: "contrib", args: []string{"-mode", "prepared"}, heartbeat: true},
	{name: "melody", heartbeat: true, tls: true},
	{name: "gws", heartbeat: true, tls: true},
	{name: "coder", heartbeat: true, tls: true},
	{name: "gobwas", heartbeat: true},
	{name: "rawnet"},
	{name: "rawepoll"},
}

// each runs f for each server, which is started for it.
func each(t *testing.T, f func(t *testing.T, address string)) {
	for _, s := range servers {
		t.Run(strings.Join(append([]string{s.name}, s.args...), " "), func(t *testing.T) {
			t.Parallel()
			f(t, start(t, s))
		})
	}
}

// start starts a server, on three processors so that the ones with a loop for each have several, and returns its
// address.
func start(t *testing.T, s server, args ...string) (address string) {
	t.Helper()
	if s.name == "rawepoll" && runtime.GOOS != "linux" {
		t.Skip("needs Linux")
	}
	cmd := command(t.Context(), s.name, append(append(args, "-addr", "127.0.0.1:0"), s.args...)...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=3")
	var failure strings.Builder
	cmd.Stderr = &failure
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the context has ended, and with it the server
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); failure.Len() > 0 {
			t.Errorf("%v: %s", err, failure.String())
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	address, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !found {
		t.Fatalf("it says %q, %v", line, err)
	}
	return "ws://" + address
}

func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, filepath.Join(binaries, name), args...)
}

// settle waits until the server has handled what c has sent: it answers a ping behind it.
func settle(t *testing.T, c *wsxtest.Client) {
	t.Helper()
	if err := c.Frame(true, 9, []byte("settled?")); err != nil {
		t.Fatal(err)
	}
	if f, err := c.ReadFrame(); err != nil || f.Op != 10 || string(f.Payload) != "settled?" {
		t.Fatalf("a ping is answered by %+v, %v", f, err)
	}
}
