package wsx_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// ingestBlocks returns the blocks of docs/ingest.md in a language.
func ingestBlocks(t *testing.T, language string) (blocks []string) {
	t.Helper()
	page, err := os.ReadFile("docs/ingest.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(page, -1) {
		blocks = append(blocks, string(m[1]))
	}
	if len(blocks) == 0 {
		t.Fatalf("docs/ingest.md has nothing in %s", language)
	}
	return blocks
}

// TestIngestPageCompiles builds the Go of the page.
func TestIngestPageCompiles(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ingest.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "internal", "ingestpage", "ingest.go"): file}})
	if err != nil {
		t.Fatal(err)
	}
	overlayFile := filepath.Join(t.TempDir(), "overlay.json")
	for to, content := range map[string][]byte{file: []byte(ingestBlocks(t, "go")[0]), overlayFile: overlay} {
		if err := os.WriteFile(to, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlayFile, "./internal/ingestpage")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// shelf is a store with positions, which outlives the hubs that write to it.
type shelf struct {
	mu       sync.Mutex
	texts    map[string][]string // of each stream
	position map[string]uint64
	rate     float64 // of each device; 0: off
}

func newShelf() *shelf {
	return &shelf{texts: make(map[string][]string), position: make(map[string]uint64)}
}

func (s *shelf) store(_ context.Context, b *hub.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, it := range b.All() {
		switch text := it.Message.Text(); {
		case strings.Contains(text, "hot"):
			b.Reject(i, errors.New("not a number"))
		case it.Number > s.position[it.Stream]:
			s.texts[it.Stream] = append(s.texts[it.Stream], text)
		}
	}
	for _, p := range b.Positions() {
		s.position[p.Stream] = max(s.position[p.Stream], p.Last)
	}
	return nil
}

func (s *shelf) positionOf(_ context.Context, stream string) (number uint64, known bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number, known = s.position[stream]
	return number, known, nil
}

func (s *shelf) of(stream string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.texts[stream])
}

// newHub returns a hub that writes to the shelf.
func (s *shelf) newHub() *hub.Hub {
	return hub.New(hub.Config{
		Ack: hub.AckResume, Batch: batch.Config{OnPoison: batch.Hold}, OnBatch: s.store, Position: s.positionOf,
		PingInterval: -1, Logger: quiet, Rate: s.rate, Burst: 50,
	})
}

// TestIngestTranscripts replays the transcripts of the page: what the server says there is what it says, but for the
// epoch, which only has to rise.
func TestIngestTranscripts(t *testing.T) {
	transcripts := ingestBlocks(t, "transcript")
	if len(transcripts) != 2 {
		t.Errorf("found %d transcripts, want 2", len(transcripts))
	}
	for _, text := range transcripts {
		synctest.Test(t, func(t *testing.T) {
			r := &replay{t: t, shelf: newShelf()}
			r.boot()
			r.connect()
			for line := range strings.Lines(text) {
				r.line(strings.TrimSpace(line))
			}
			_ = r.client.Conn().Close()
			r.serving.Wait()
			if err := r.hub.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
			wantReport(t, r.hub)
		})
	}
}

// replay is a server and a device that follow a transcript.
type replay struct {
	t       *testing.T
	shelf   *shelf
	hub     *hub.Hub
	client  *wsxtest.Client
	serving sync.WaitGroup
	epochs  [2]uint64 // the last one on the page, and that of the server
}

func (r *replay) boot() { r.hub = r.shelf.newHub() }

func (r *replay) connect() {
	client, server := wsxtest.Pipe(r.t)
	r.client = client
	h := r.hub
	r.serving.Go(func() {
		_ = h.Serve(server, hub.Request{Identity: auth.Identity{Subject: "dev42"}, Subprotocol: hub.AckProtocol})
	})
}

var transcriptLine = regexp.MustCompile(`^(C|S|--) (\(lost\) )?(.*)$`)

func (r *replay) line(line string) {
	m := transcriptLine.FindStringSubmatch(line)
	if m == nil {
		r.t.Fatalf("%q is no line of a transcript", line)
	}
	switch who, lost, text := m[1], m[2] != "", m[3]; {
	case who == "--":
		r.end(text)
	case !json.Valid([]byte(text)):
		r.t.Errorf("%s is no JSON", text)
	case who == "S":
		r.wantSaid(text)
	case !lost:
		r.client.SendText(text)
	}
}

// end ends the connection, and with a crash the hub too.
func (r *replay) end(how string) {
	_ = r.client.Conn().Close()
	r.serving.Wait()
	switch {
	case strings.HasPrefix(how, "crash:"):
		if err := r.hub.Shutdown(context.Background()); err != nil {
			r.t.Error(err)
		}
		wantReport(r.t, r.hub)
		r.boot()
	case !strings.HasPrefix(how, "cut:"):
		r.t.Errorf("%q is no end", how)
	}
	r.connect()
}

var epochField = regexp.MustCompile(`"epoch":(\d+)`)

func (r *replay) wantSaid(text string) {
	said := r.client.ReadText()
	for i, s := range []string{text, said} {
		var m struct{ Epoch uint64 }
		if err := json.Unmarshal([]byte(s), &m); err != nil {
			r.t.Error(err)
		}
		if m.Epoch > 0 && m.Epoch <= r.epochs[i] {
			r.t.Errorf("epoch %d comes after %d", m.Epoch, r.epochs[i])
		}
		r.epochs[i] = cmp.Or(m.Epoch, r.epochs[i])
	}
	got, want := epochField.ReplaceAllString(said, "E"), epochField.ReplaceAllString(text, "E")
	if got != want {
		r.t.Errorf("the page says %s, the server %s", want, got)
	}
}

// TestIngestPythonClient runs the client of the page against a server that is restarted, through a proxy that cuts its
// connections: each line of its input is stored once and in order.
func TestIngestPythonClient(t *testing.T) {
	s, proxy := newShelf(), newCutter(t)
	proxy.to(s.serve(t))
	d := startPython(t, proxy)
	var want []string
	for i := range 2000 {
		want = append(want, fmt.Sprintf(`{"n":%d,"padding":"%s"}`, i, strings.Repeat("x", i%200)))
		if i == 1000 {
			eventually(t, "something is stored", func() bool { return len(s.of("dev42")) > 0 })
			proxy.to(s.serve(t))
			proxy.cut()
		}
		d.write(want[i])
	}
	d.finish()
	if got := s.of("dev42"); !slices.Equal(got, want) {
		t.Errorf("%d messages are stored, want %d, each once and in order", len(got), len(want))
	}
	if n := proxy.accepted(); n < cuts {
		t.Errorf("%d connections, want %d at least", n, cuts)
	}
}

// TestIngestPythonClientOverTheRate has the server refuse messages of that client, which sends them again: each is
// stored once, though nacks come again after the proxy has cut a connection behind one.
func TestIngestPythonClientOverTheRate(t *testing.T) {
	s, proxy := newShelf(), newCutter(t)
	s.rate, proxy.atNacks = 200, true
	proxy.to(s.serve(t))
	d := startPython(t, proxy)
	want := make([]string, 200)
	for i := range want {
		want[i] = fmt.Sprintf(`{"n":%d,"padding":"%s"}`, 1000+i, strings.Repeat("x", 300))
		d.write(want[i])
	}
	d.finish()
	got := s.of("dev42")
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d messages are stored, want %d, each once", len(got), len(want))
	}
	if n := proxy.accepted(); n < 2 {
		t.Errorf("%d connections, want 2 at least", n)
	}
}

// pythonDevice is the client of the page at work.
type pythonDevice struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines io.WriteCloser
	said  strings.Builder
}

func startPython(t *testing.T, proxy *cutter) *pythonDevice {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		skipOrFail(t, "there is no python3")
	}
	program := filepath.Join(t.TempDir(), "client.py")
	if err := os.WriteFile(program, []byte(ingestBlocks(t, "python")[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(proxy.ln.Addr().String())
	d := &pythonDevice{t: t, cmd: exec.CommandContext(t.Context(), python, program, host, port, "/ingest", tokenFor(t, "dev42"))}
	if d.lines, err = d.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	d.cmd.Stderr = &d.said
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *pythonDevice) write(line string) {
	d.t.Helper()
	if _, err := io.WriteString(d.lines, line+"\n"); err != nil {
		d.t.Fatalf("%v: %s", err, d.said.String())
	}
}

// finish ends the client's input, and waits until it has ended too: then all is acknowledged.
func (d *pythonDevice) finish() {
	d.t.Helper()
	_ = d.lines.Close()
	if err := d.cmd.Wait(); err != nil {
		d.t.Errorf("%v: %s", err, d.said.String())
	}
}

// serve starts a server that writes to the shelf, and returns its address.
func (s *shelf) serve(t *testing.T) string {
	h := s.newHub()
	app := newApp(fiber.Config{ReadTimeout: 5 * time.Second})
	app.Use("/ingest", wsx.New(wsx.Config{Hub: h, Auth: jwt.HMAC(key), Logger: quiet}))
	return serve(t, app, h)
}
