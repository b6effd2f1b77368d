//go:build linux

package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv(attackerEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestAFewFloods runs some floods against a real server for a moment: what is looked at here is that the command works,
// and not how the machine does.
func TestAFewFloods(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("it takes two processors")
	}
	binary := filepath.Join(t.TempDir(), "server")
	if err := build(t.Context(), binary); err != nil {
		t.Fatal(err)
	}
	for _, f := range floods() {
		if f.name != "huge lengths" && f.name != "ping flood" {
			continue
		}
		var r row
		for d := time.Second; d < 10*time.Second && r.seen[f.expect] == 0; d *= 2 { // the attacker comes last on a busy machine
			var err error
			if r, err = measure(t.Context(), options{clients: 20, duration: d}, binary, f); err != nil {
				t.Fatalf("%s: %v", f.name, err)
			}
		}
		if r.seen[f.expect] == 0 || r.base == 0 || r.peak == 0 || r.during == 0 {
			t.Errorf("%s: measured %+v", f.name, r)
		}
	}
}

func TestConnects(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "server")
	if err := build(t.Context(), binary); err != nil {
		t.Fatal(err)
	}
	s, err := serve(t.Context(), binary, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	for _, k := range kinds() {
		if err := connectMany(t.Context(), s, k, 50); err != nil {
			t.Errorf("%s: %v", k.name, err)
		}
	}
	now, err := s.state(t.Context())
	if err != nil || now.Goroutines == 0 || now.Descriptors == 0 || now.HeapAlloc == 0 {
		t.Errorf("the server's state is %+v, %v", now, err)
	}
}

func TestVerdict(t *testing.T) {
	for name, tt := range map[string]struct {
		row  row
		want string
	}{
		"within":            {row{base: 10 << 20, peak: 74 << 20, before: time.Millisecond, during: 2 * time.Millisecond}, ""},
		"memory":            {row{base: 10 << 20, peak: 75 << 20}, "memory"},
		"p99":               {row{before: time.Millisecond, during: 2100 * time.Microsecond}, "p99"},
		"p99 that is small": {row{before: 10 * time.Microsecond, during: 999 * time.Microsecond}, ""},
		"an end":            {row{err: errors.New("gone")}, "gone"},
		"nothing seen":      {row{flood: flood{expect: "1009"}, seen: map[string]int{"1008": 1}}, "the attacker has not seen 1009"},
	} {
		if got := tt.row.verdict(); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestTable(t *testing.T) {
	held := row{flood: flood{name: "pings"}, base: 1 << 20, peak: 3 << 20, before: time.Millisecond, during: time.Millisecond, seen: map[string]int{"1008": 3}}
	var text, markdown strings.Builder
	tb := table{[]row{held, {err: errors.New("gone\nfor good")}}}
	tb.print(&text, false)
	tb.print(&markdown, true)
	if want := "| pings | 1.0 | 3.0 | 2.0 | 1000 | 1000 | 1.00 | yes | 1008 ×3 | held |"; !strings.Contains(markdown.String(), want) {
		t.Errorf("got %s", &markdown)
	}
	if strings.Count(text.String(), "\n") != 3 || !strings.Contains(text.String(), "MISSED: gone\n") {
		t.Errorf("got %s", &text)
	}
	if tb.failed() == nil || (&table{[]row{held}}).failed() != nil {
		t.Error("what has failed is not told")
	}
}
