package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/fiberwsx/wsx/examples/internal/testkit"
)

// process is the program, running by itself.
type process struct {
	*running // its address, to talk to
	cmd      *exec.Cmd
	stdout   string // up to the blank line after the instructions
	stderr   *bytes.Buffer
	exited   chan error
}

var address = regexp.MustCompile(`http://(\S+)`)

// startProcess starts the server as a process and waits until it says where it is.
func startProcess(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{exited: make(chan error, 1), stderr: new(bytes.Buffer)}
	p.cmd = program(t, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	for !strings.Contains(p.stdout, "-device NAME") {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("%v after %q", err, p.stdout)
		}
		p.stdout += line
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		p.exited <- p.cmd.Wait()
	}()
	found := address.FindStringSubmatch(p.stdout)
	if found == nil {
		t.Fatalf("no address in %q", p.stdout)
	}
	p.running = &running{address: found[1]}
	return p
}

func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), asProgram+"=1", "WSX_KEY=")
	return cmd
}

// wait returns the exit code.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.exited:
	case <-time.After(30 * time.Second):
		t.Fatalf("the program does not end; it said\n%s", p.stderr)
	}
	return p.cmd.ProcessState.ExitCode()
}

// streamer is a device that sends numbers, each its predecessor and one, and does not stop by itself.
type streamer struct {
	device string
	conn   *websocket.Conn
	sent   atomic.Int64
	status websocket.StatusCode
}

// stream sends until writing fails, while it reads until the connection is closed.
func (s *streamer) stream(pause time.Duration) {
	var sending sync.WaitGroup
	sending.Go(func() {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for ; ; <-tick.C {
			n := s.sent.Load() + 1
			message := fmt.Sprintf(`{"metric":"n","value":%d,%s}`, n, validTS)
			if s.conn.Write(context.Background(), websocket.MessageText, []byte(message)) != nil {
				return
			}
			s.sent.Store(n)
		}
	})
	for {
		if _, _, err := s.conn.Read(context.Background()); err != nil {
			s.status = websocket.CloseStatus(err)
			break
		}
	}
	sending.Wait()
}

// With 50 devices that never stop sending, a SIGTERM loses nothing that was read: each device's stored numbers are
// without a gap, all of them are counted, and every device is told.
func TestSIGTERMStoresWhatWasRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGTERM on Windows")
	}
	db := newDB(t)
	p := startProcess(t, "-db", db, "-device", "server")
	streamers := make([]*streamer, 50)
	var all sync.WaitGroup
	for i := range streamers {
		device := fmt.Sprintf("dev%02d", i)
		s := &streamer{device: device, conn: p.connect(t, device)}
		streamers[i] = s
		all.Go(func() { s.stream(2 * time.Millisecond) })
	}
	testkit.Eventually(t, "they are in full flow", func() bool { return getJSON[totals](t, p.running, "/api/stats").Stored > 5000 })
	before := getJSON[totals](t, p.running, "/api/stats")
	http.DefaultClient.CloseIdleConnections()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(t); code != 0 {
		t.Errorf("exit code %d; it said\n%s", code, p.stderr)
	}
	all.Wait()
	stored := newStore(t, db)
	var sum int64
	for _, s := range streamers {
		if s.status != websocket.StatusGoingAway {
			t.Errorf("%s saw %d, want 1001", s.device, s.status)
		}
		sum += checkPrefix(t, stored, s)
	}
	own, err := stored.readings(t.Context(), filter{device: "server", limit: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	if len(own) == 0 {
		t.Error("nothing from the agent inside the server")
	}
	total, _ := countOf(t, stored)
	if total != sum+int64(len(own)) || total < before.Stored {
		t.Errorf("%d readings are stored, want %d of the devices and %d of the server, and %d or more in all",
			total, sum, len(own), before.Stored)
	}
}

// checkPrefix expects 1, 2, 3 … up to some number that was sent, and returns it.
func checkPrefix(t *testing.T, stored store, s *streamer) int64 {
	t.Helper()
	readings, err := stored.readings(t.Context(), filter{device: s.device, limit: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range readings {
		if r.Value != float64(i+1) {
			t.Fatalf("%s: number %d is in place %d", s.device, int(r.Value), i+1)
		}
	}
	n := int64(len(readings))
	if n == 0 || n > s.sent.Load()+1 {
		t.Errorf("%s: %d stored of %d sent", s.device, n, s.sent.Load())
	}
	return n
}

func TestProgramFromNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGTERM on Windows")
	}
	p := startProcess(t, "-device", "this")
	if n := strings.Count(p.stdout, "http://"); n != 1 {
		t.Errorf("%d addresses to click on, want 1, in %q", n, p.stdout)
	}
	testkit.Eventually(t, "the machine's own figures are stored", func() bool {
		metrics := map[string]bool{}
		for _, r := range getJSON[[]reading](t, p.running, "/api/readings?device=this") {
			metrics[r.Metric] = true
		}
		return metrics["cpu"] && metrics["memory"] && metrics["disk"]
	})
	info, err := os.Stat(filepath.Join(p.cmd.Dir, "telemetry.db.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
	key, err := os.ReadFile(filepath.Join(p.cmd.Dir, "telemetry.db.key"))
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.wait(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(p.stderr.String(), strings.TrimSpace(string(key))) {
		t.Error("the key is in the log")
	}
}

func TestAgentIsAProcessOfItsOwn(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGTERM on Windows")
	}
	r := start(t, newDB(t))
	token, err := r.signer.token("far")
	if err != nil {
		t.Fatal(err)
	}
	cmd := program(t, "-agent", "ws://"+r.address+"/ingest", "-device", "far", "-token", token)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "its readings are stored", func() bool {
		return len(getJSON[[]reading](t, r, "/api/readings?device=far&metric=cpu")) > 2
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v and said\n%s", err, &said)
	}
	if strings.Contains(said.String(), token) {
		t.Error("the token is in its log")
	}
}

func TestAgentEndsWhenRefused(t *testing.T) {
	r := start(t, newDB(t))
	out, err := program(t, "-agent", "ws://"+r.address+"/ingest", "-device", "far", "-token", "x").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "refused") || !strings.Contains(string(out), "401") {
		t.Errorf("%v, and it said\n%s", err, out)
	}
}

func TestWrongCommandLines(t *testing.T) {
	for _, args := range [][]string{
		{"-nonsense"}, {"start"}, {"-agent", "http://x/ingest", "-token", "t"}, {"-agent", "ws://x/ingest", "-token", ""},
		{"-device", " "}, {"-mint", "a\tb"}, {"-mint", ""}, {"-mint", "?a"}, {"-agent", ""},
		{"-agent", "ws://127.0.0.1:1/ingest", "-token", "a\nb"}, {"-lifetime", "0s"},
	} {
		var stderr strings.Builder
		if code := run(args, io.Discard, &stderr); code != 2 || stderr.Len() == 0 {
			t.Errorf("%v: exit code %d and %q, want 2 and a reason", args, code, stderr.String())
		}
	}
}
