package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 987654321, time.UTC)

// some returns n readings of two metrics of a device, a second apart.
func some(device string, n int) []reading {
	readings := make([]reading, n)
	for i := range readings {
		readings[i] = reading{device, fmt.Sprint("m", i%2), float64(i), noon.Add(time.Duration(i) * time.Second)}
	}
	return readings
}

func TestStoreKeepsReadingsAndTheirOrder(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		if !isPostgres(db) {
			db = filepath.Join(t.TempDir(), "odd name%20?#.db")
		}
		s, err := openStore(db)
		if err != nil {
			t.Fatal(err)
		}
		late, early := some("late", 4), some("early", 4)
		for i := range early {
			early[i].TS = early[i].TS.Add(-time.Hour)
		}
		for _, batch := range [][]reading{late, nil, early} {
			if err := insert(s, batch); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		s = newStore(t, db)
		got, err := s.readings(t.Context(), filter{limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		if want := append(late, early...); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if n, _ := countOf(t, s); n != 8 {
			t.Errorf("count is %d, want 8", n)
		}
	})
}

func TestFilters(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		s := newStore(t, db)
		for _, device := range []string{"a", "b"} {
			if err := insert(s, some(device, 10)); err != nil {
				t.Fatal(err)
			}
		}
		for _, tt := range []struct {
			name  string
			f     filter
			n     int
			first reading
		}{
			{"all", filter{limit: 100}, 20, some("a", 1)[0]},
			{"limit", filter{limit: 3}, 3, some("a", 1)[0]},
			{"device", filter{device: "b", limit: 100}, 10, some("b", 1)[0]},
			{"metric", filter{metric: "m1", limit: 100}, 10, some("a", 2)[1]},
			{"device and metric", filter{device: "b", metric: "m1", limit: 100}, 5, some("b", 2)[1]},
			{"since", filter{since: noon.Add(7 * time.Second), limit: 100}, 6, some("a", 8)[7]},
			{"since a nanosecond later", filter{since: noon.Add(7*time.Second + 1), limit: 100}, 4, some("a", 9)[8]},
			{"all of it", filter{device: "b", metric: "m1", since: noon.Add(2 * time.Second), limit: 2}, 2, some("b", 4)[3]},
			{"since ever", filter{since: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), limit: 100}, 20, some("a", 1)[0]},
			{"unknown device", filter{device: "c", limit: 100}, 0, reading{}},
			{"since too late", filter{since: time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC), limit: 100}, 0, reading{}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				got, err := s.readings(t.Context(), tt.f)
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != tt.n || got == nil {
					t.Fatalf("got %d readings, want %d", len(got), tt.n)
				}
				if tt.n > 0 && got[0] != tt.first {
					t.Errorf("the first is %+v, want %+v", got[0], tt.first)
				}
			})
		}
	})
}

func TestLatestOfEachSeries(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		s := newStore(t, db)
		if err := insert(s, append(some("b", 4), some("a", 3)...)); err != nil {
			t.Fatal(err)
		}
		got, err := s.latest(t.Context(), 3)
		if err != nil {
			t.Fatal(err)
		}
		want := []reading{some("a", 3)[2], some("a", 2)[1], some("b", 3)[2]}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// A failed transaction leaves nothing behind, in memory either.
func TestFailedInsertStoresNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		s := newStore(t, db)
		broken := append(some("new", 3), reading{"other", "m", 7, noon})
		breakDatabase(t, s, "readings", "new.value = 7")
		if err := insert(s, broken); err == nil || !strings.Contains(err.Error(), "no") {
			t.Fatalf("insert returned %v", err)
		}
		if n, _ := countOf(t, s); n != 0 {
			t.Fatalf("%d readings stored, want none", n)
		}
		if err := insert(s, some("new", 3)); err != nil {
			t.Fatal(err)
		}
		got, err := s.readings(t.Context(), filter{device: "new", limit: 10})
		if err != nil || len(got) != 3 {
			t.Errorf("got %d readings (%v), want 3", len(got), err)
		}
	})
}

func TestDatabaseOfAnotherProgramIsRefused(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database at all\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer.db")
	s, err := openStore(newer)
	if err != nil {
		t.Fatal(err)
	}
	execute(t, s, "PRAGMA user_version = 99")
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, newer, filepath.Join(dir, "missing", "x.db")} {
		if s, err := openStore(path); err == nil {
			t.Errorf("%s was opened", path)
			_ = s.close()
		}
	}
}

func BenchmarkInsert(b *testing.B) {
	s := newStore(b, filepath.Join(b.TempDir(), "bench.db"))
	batch := make([]reading, 500)
	for i := range batch {
		batch[i] = reading{fmt.Sprint("d", i%50), fmt.Sprint("m", i%8), float64(i), noon}
	}
	for b.Loop() {
		if err := insert(s, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(batch))/b.Elapsed().Seconds(), "readings/s")
}
