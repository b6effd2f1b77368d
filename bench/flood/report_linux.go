package main

import (
	"cmp"
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
)

// row is what one flood did.
type row struct {
	flood      flood
	base, peak int // bytes of resident memory
	pairs      []pair
	report     report        // of all times together
	attacked   time.Duration // likewise
	err        error         // the server or a client did not live through it
}

// pair is what the polite clients have seen without the flood and then with it.
type pair struct {
	quiet, flooded  figures
	quietLoad, load float64 // what part of a processor the server took
}

// counts reports whether the host left at least half of the windows alone, of both.
func (p pair) counts() bool {
	return p.quiet.Counted > 0 && 2*p.quiet.Counted >= p.quiet.Windows &&
		p.flooded.Counted > 0 && 2*p.flooded.Counted >= p.flooded.Windows
}

func (r row) growth() int { return max(0, r.peak-r.base) }

// counted returns the pairs that count.
func (r row) counted() (some []pair) {
	for _, p := range r.pairs {
		if p.counts() {
			some = append(some, p)
		}
	}
	return some
}

// windows returns how many windows of time there were in the pairs, and how many of them count, in pairs that do.
func (r row) windows() (counted, all int) {
	for _, p := range r.pairs {
		if p.counts() {
			counted += p.quiet.Counted + p.flooded.Counted
		}
		all += p.quiet.Windows + p.flooded.Windows
	}
	return counted, all
}

// sorted returns what f says of the pairs that count, or of all when none does.
func sorted[T cmp.Ordered](r row, f func(p pair) T) (all []T) {
	pairs := r.counted()
	if len(pairs) == 0 {
		pairs = r.pairs
	}
	for _, p := range pairs {
		all = append(all, f(p))
	}
	slices.Sort(all)
	return all
}

// median returns the middle one; 0 without any.
func median[T cmp.Ordered](r row, f func(p pair) T) (middle T) {
	if all := sorted(r, f); len(all) > 0 {
		middle = all[len(all)/2]
	}
	return middle
}

// quartiles returns between what the middle half of the ratios lies; 0 without any.
func (r row) quartiles() (low, high float64) {
	all := sorted(r, pair.ratio)
	if len(all) == 0 {
		return 0, 0
	}
	n := (len(all) - 1) / 4
	return all[n], all[len(all)-1-n]
}

// undecided reports whether the pairs leave open on which side of what is allowed the ratio is: the middle half of them
// lies on both, or the host has taken time from more than half.
func (r row) undecided() bool {
	low, high := r.quartiles()
	return low <= mostRatio && mostRatio < high || r.hostTookTooMuch()
}

func (r row) hostTookTooMuch() bool { return 2*len(r.counted()) < len(r.pairs) }

func (r row) before() time.Duration {
	return median(r, func(p pair) time.Duration { return p.quiet.P99 })
}
func (r row) during() time.Duration {
	return median(r, func(p pair) time.Duration { return p.flooded.P99 })
}

// ratio is that of a pair, of which the median counts: what else the machine does changes in the course of the pairs.
func (p pair) ratio() float64 { return float64(p.flooded.P99) / float64(max(1, p.quiet.P99)) }

func (r row) ratio() float64 { return median(r, pair.ratio) }

// add adds what one run of the attacker has told.
func (r *row) add(more report, lasted time.Duration) {
	r.attacked += lasted
	r.report.Frames += more.Frames
	r.report.Connects += more.Connects
	r.report.Requests += more.Requests
	if r.report.Seen == nil {
		r.report.Seen = make(map[string]int)
	}
	for what, times := range more.Seen {
		r.report.Seen[what] += times
	}
}

// rates tells what the attacker did in a second.
func (r row) rates() string {
	var s []string
	for _, did := range []struct {
		n    int64
		what string
	}{{r.report.Connects, "connects"}, {r.report.Requests, "requests"}, {r.report.Frames, "frames"}} {
		if did.n > 0 {
			s = append(s, fmt.Sprintf("%.0f %s", float64(did.n)/r.attacked.Seconds(), did.what))
		}
	}
	return strings.Join(s, ", ")
}

// verdict says what is wrong; empty: nothing.
func (r row) verdict() string {
	var bad []string
	if r.err != nil {
		bad = append(bad, firstOf(r.err))
	}
	if r.growth() > mostGrowth {
		bad = append(bad, "memory")
	}
	if r.ratio() > mostRatio {
		bad = append(bad, "p99")
	}
	if r.hostTookTooMuch() {
		bad = append(bad, "the host took too much time")
	}
	switch e := r.flood.expect; {
	case r.err != nil:
	case e != "" && r.report.Seen[e] == 0:
		bad = append(bad, "the attacker has not seen "+e)
	case r.rates() == "":
		bad = append(bad, "there was no attack")
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
	"flood", "RSS base MiB", "peak", "growth", "p50 µs", "during", "p99 µs", "during", "ratio", "quartiles", "pairs", "windows", "server's load", "during", "a second", "alive",
	"attacker saw", "verdict",
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
		cells = append(cells, append(r.numbers(), r.rates(), alive, summary(r.report.Seen), verdict))
	}
	printTable(w, markdown, columns, cells)
}

func (r row) numbers() []string {
	counted, all := r.windows()
	low, high := r.quartiles()
	return []string{
		r.flood.name, mebibytes(r.base), mebibytes(r.peak), mebibytes(r.growth()),
		micros(median(r, func(p pair) time.Duration { return p.quiet.P50 })),
		micros(median(r, func(p pair) time.Duration { return p.flooded.P50 })),
		micros(r.before()), micros(r.during()), fmt.Sprintf("%.2f", r.ratio()),
		fmt.Sprintf("%.2f to %.2f", low, high), fmt.Sprint(len(r.pairs)), fmt.Sprintf("%d of %d", counted, all),
		percent(median(r, func(p pair) float64 { return p.quietLoad })), percent(median(r, func(p pair) float64 { return p.load })),
	}
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

func micros(d time.Duration) string { return fmt.Sprint(d.Microseconds()) }

func percent(part float64) string { return fmt.Sprintf("%.0f %%", 100*part) }

// summary lists what was seen.
func summary(seen map[string]int) string {
	var s []string
	for _, what := range slices.Sorted(maps.Keys(seen)) {
		s = append(s, fmt.Sprintf("%s ×%d", what, seen[what]))
	}
	return strings.Join(s, ", ")
}

var errNotBack = errors.New("the server holds more than before")
