//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestRun measures two servers for a moment, and reads what it writes.
func TestRun(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("the server and the client need a processor each")
	}
	dir := t.TempDir()
	results, readme := filepath.Join(dir, "results.json"), filepath.Join(dir, "README.md")
	if err := os.WriteFile(readme, []byte("before\n"+openMark+"\nold\n"+closeMark+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := run(t.Context(), options{
		servers: "^wsx$|^raw-epoll$", workloads: "^echo$|^burst 1000$|^ingest$|^ingest acked$|^message", rounds: 2, duration: 30 * time.Millisecond,
		json: results, markdown: readme,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Results []struct {
			Workload string
			Values   map[string][]float64
			Ratios   map[string]float64
		}
		Failures []string
	}
	b, err := os.ReadFile(results)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Results) != 5 || len(got.Failures) != 0 {
		t.Fatalf("%d workloads, failures %q", len(got.Results), got.Failures)
	}
	for _, w := range got.Results {
		for server, values := range w.Values {
			if len(values) != 2 || w.Workload != "message+FIN" && values[0] <= 0 {
				t.Errorf("%s, %s: %v", w.Workload, server, values)
			}
		}
		if w.Workload == "message+FIN" && w.Values[wsxName][0]+w.Values[wsxName][1] != 0 {
			t.Errorf("wsx leaves descriptors open: %v", w.Values[wsxName])
		}
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(text); !strings.HasPrefix(s, "before\n") || !strings.HasSuffix(s, "\nafter\n") ||
		strings.Contains(s, "old") || !strings.Contains(s, "| ingest, µs/msg |") || !strings.Contains(s, "\ningest acked against ingest: ") {
		t.Errorf("the Markdown is\n%s", s)
	}
}

func TestOptionsThatSelectNothing(t *testing.T) {
	for _, o := range []options{{workloads: "no such"}, {servers: "no such"}, {workloads: "("}, {servers: "("}} {
		if err := run(t.Context(), o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

// TestPrograms: every server of the tables is there, and the list of the workloads has no name twice.
func TestPrograms(t *testing.T) {
	for _, p := range programs() {
		if _, err := os.Stat(filepath.FromSlash(p.pkg)); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
	}
	seen := make(map[string]bool)
	for _, w := range workloads() {
		if seen[w.name] {
			t.Errorf("%s stands there twice", w.name)
		}
		seen[w.name] = true
	}
}
