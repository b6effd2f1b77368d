package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// What is allowed.
const (
	mostGrowth = 64 << 20
	mostRatio  = 2.0
	fine       = time.Millisecond // a p99 below this is fine whatever the ratio
)

// row is what one flood did.
type row struct {
	flood          flood
	base, peak     int // bytes of resident memory
	before, during time.Duration
	seen           map[string]int
	err            error // the server or a client did not live through it
}

func (r row) growth() int { return max(0, r.peak-r.base) }

func (r row) ratio() float64 { return float64(r.during) / float64(max(1, r.before)) }

// verdict says what is wrong; empty: nothing.
func (r row) verdict() string {
	var bad []string
	if r.err != nil {
		bad = append(bad, firstOf(r.err))
	}
	if r.growth() > mostGrowth {
		bad = append(bad, "memory")
	}
	if r.ratio() > mostRatio && r.during >= fine {
		bad = append(bad, "p99")
	}
	if e := r.flood.expect; e != "" && r.seen[e] == 0 && r.err == nil {
		bad = append(bad, "the attacker has not seen "+e)
	}
	return strings.Join(bad, ", ")
}

// firstOf returns the start of an error, to stand in a table.
func firstOf(err error) string {
	const most = 80
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s[:min(most, len(s))]
}

// table is the result.
type table struct{ rows []row }

func (t *table) failed() error {
	n := 0
	for _, r := range t.rows {
		if r.verdict() != "" {
			n++
		}
	}
	if n > 0 {
		return fmt.Errorf("%d of %d floods did more than they may", n, len(t.rows))
	}
	return nil
}

var columns = []string{
	"flood", "RSS base MiB", "peak", "growth", "p99 before µs", "during", "ratio", "alive", "attacker saw", "verdict",
}

func (t *table) print(w io.Writer, markdown bool) {
	if len(t.rows) == 0 {
		return
	}
	var cells [][]string
	for _, r := range t.rows {
		alive, verdict := "yes", "held"
		if r.err != nil {
			alive = "NO"
		}
		if v := r.verdict(); v != "" {
			verdict = "MISSED: " + v
		}
		cells = append(cells, []string{
			r.flood.name, mebibytes(r.base), mebibytes(r.peak), mebibytes(r.growth()), fmt.Sprint(r.before.Microseconds()),
			fmt.Sprint(r.during.Microseconds()), fmt.Sprintf("%.2f", r.ratio()), alive, summary(r.seen), verdict,
		})
	}
	printTable(w, markdown, columns, cells)
}

// printTable prints a table, its first column to the left and as text in columns unless Markdown is wanted.
func printTable(w io.Writer, markdown bool, head []string, rows [][]string) {
	if markdown {
		fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
		for _, r := range rows {
			fmt.Fprintf(w, "| %s |\n", strings.Join(r, " | "))
		}
		return
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer tw.Flush()
	for _, r := range append([][]string{head}, rows...) {
		fmt.Fprintln(tw, strings.Join(r, "\t"))
	}
}

func mebibytes(n int) string { return fmt.Sprintf("%.1f", float64(n)/(1<<20)) }

// summary lists what was seen.
func summary(seen map[string]int) string {
	var s []string
	for _, what := range slices.Sorted(maps.Keys(seen)) {
		s = append(s, fmt.Sprintf("%s ×%d", what, seen[what]))
	}
	return strings.Join(s, ", ")
}

var errNotBack = errors.New("the server holds more than before")
