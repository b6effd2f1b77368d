//go:build linux

package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
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
		for d := time.Second; d < 10*time.Second && r.report.Seen[f.expect] == 0; d *= 2 { // the attacker comes last on a busy machine
			var err error
			if r, err = measure(t.Context(), options{cores: 1, clients: 20, duration: d, pairs: 1}, binary, f, func(int, int) {}); err != nil {
				t.Fatalf("%s: %v", f.name, err)
			}
		}
		if r.report.Seen[f.expect] == 0 || r.base == 0 || r.peak == 0 || r.before() == 0 || r.during() == 0 || r.rates() == "" {
			t.Errorf("%s: measured %+v", f.name, r)
		}
	}
}

func TestConnects(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "server")
	if err := build(t.Context(), binary); err != nil {
		t.Fatal(err)
	}
	s, err := serve(t.Context(), binary, 1, 0)
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

// seen returns the pairs of a row whose clients have seen these.
func seen(p99s ...time.Duration) (pairs []pair) {
	for i := 0; i < len(p99s); i += 2 {
		pairs = append(pairs, pair{quiet: figures{P99: p99s[i], Windows: 1, Counted: 1}, flooded: figures{P99: p99s[i+1], Windows: 1, Counted: 1}})
	}
	return pairs
}

// taken returns pairs in which the host has taken time from the clients while the flood went on.
func taken(p99s ...time.Duration) []pair {
	pairs := seen(p99s...)
	for i := range pairs {
		pairs[i].flooded.Counted = 0
	}
	return pairs
}

func TestVerdict(t *testing.T) {
	const ms, µs = time.Millisecond, time.Microsecond
	attack := report{Frames: 1}
	part := pair{quiet: figures{P99: ms, Windows: 6, Counted: 6}, flooded: figures{P99: 9 * ms, Windows: 6, Counted: 2}}
	other := pair{quiet: part.flooded, flooded: part.quiet}
	other.flooded.P99 = 99 * ms
	half := pair{quiet: figures{P99: ms, Windows: 6, Counted: 3}, flooded: figures{P99: 3 * ms, Windows: 6, Counted: 3}}
	for name, tt := range map[string]struct {
		row  row
		want string
	}{
		"within":                  {row{base: 10 << 20, peak: 74 << 20, pairs: seen(ms, 2*ms), report: attack}, ""},
		"memory":                  {row{base: 10 << 20, peak: 75 << 20, report: attack}, "memory"},
		"p99":                     {row{pairs: seen(ms, 2100*µs), report: attack}, "p99"},
		"p99 of one pair":         {row{pairs: seen(ms, 2*ms, ms, 9*ms, 5*ms, 9*ms), report: attack}, ""},
		"p99 that is small":       {row{pairs: seen(10*µs, 999*µs), report: attack}, "p99"},
		"pairs that do not count": {row{pairs: append(taken(ms, 9*ms, ms, 9*ms), seen(ms, ms, ms, 2*ms)...), report: attack}, ""},
		"a part of which counts":  {row{pairs: append(seen(ms, ms), part), report: attack}, ""},
		"of the quiet run too":    {row{pairs: append(seen(ms, ms), other), report: attack}, ""},
		"half of which counts":    {row{pairs: []pair{half}, report: attack}, "p99"},
		"many that do not":        {row{pairs: append(taken(ms, 9*ms, ms, 9*ms), seen(ms, 2*ms)...), report: attack}, "the host took too much time"},
		"none that counts":        {row{pairs: taken(ms, 9*ms), report: attack}, "p99, the host took too much time"},
		"an end":                  {row{err: errors.New("gone")}, "gone"},
		"nothing seen":            {row{flood: flood{expect: "1009"}, report: report{Frames: 1, Seen: map[string]int{"1008": 1}}}, "the attacker has not seen 1009"},
		"no attack":               {row{}, "there was no attack"},
	} {
		if got := tt.row.verdict(); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestUndecided: what lies on both sides of what is allowed is measured on, whether its median is below or above.
func TestUndecided(t *testing.T) {
	const ms = time.Millisecond
	for name, tt := range map[string]struct {
		pairs []pair
		want  bool
	}{
		"none":                       {nil, false},
		"one below":                  {seen(ms, 2*ms), false},
		"one above":                  {seen(ms, 3*ms), false},
		"all below but one":          {seen(ms, ms, ms, ms, ms, ms, ms, ms, ms, 9*ms), false},
		"all above but one":          {seen(ms, 3*ms, ms, 3*ms, ms, 3*ms, ms, 3*ms, ms, ms), false},
		"more below than above":      {seen(ms, ms, ms, ms, ms, ms, ms, 9*ms, ms, 9*ms), true},
		"more above than below":      {seen(ms, ms, ms, ms, ms, 3*ms, ms, 3*ms, ms, 3*ms), true},
		"of which those count below": {append(seen(ms, ms, ms, ms), taken(ms, 9*ms, ms, 9*ms)...), false},
		"most of which do not count": {append(seen(ms, ms), taken(ms, ms, ms, ms)...), true},
	} {
		if got := (row{pairs: tt.pairs}).undecided(); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// TestStolen: the column of the two processors, and not that of all together or of the eleventh.
func TestStolen(t *testing.T) {
	const stat = "cpu  1 2 3 4 5 6 7 10 0 0\ncpu0 1 2 3 4 5 6 7 3 0 0\ncpu1 1 2 3 4 5 6 7 5 0 0\ncpu10 1 2 3 4 5 6 7 2 0 0\nintr 1 2 3 4 5 6 7 8 9\ncpu1 1 2"
	if got := stolenOf(stat, []int{0, 1}); got != 8 {
		t.Errorf("got %d ticks, want 8", got)
	}
	h := watchHost(serverCore)
	now := time.Now()
	h.look(now)
	h.took, h.ticks = nil, h.ticks-1
	if h.look(now.Add(lookAtHost / 2)); len(h.took) != 0 {
		t.Error("it was looked at before it was time")
	}
	if h.look(now.Add(lookAtHost)); len(h.took) != 1 {
		t.Error("nothing was noted of what the host has taken")
	}
}

func TestTable(t *testing.T) {
	held := row{flood: flood{name: "pings"}, base: 1 << 20, peak: 3 << 20, pairs: seen(time.Millisecond, time.Millisecond)}
	held.add(report{Frames: 10, Connects: 4, Seen: map[string]int{"1008": 1}}, time.Second)
	held.add(report{Frames: 30, Seen: map[string]int{"1008": 2}}, time.Second)
	held.pairs = append(held.pairs, taken(time.Millisecond, time.Millisecond)...)
	var text, markdown strings.Builder
	tb := table{[]row{held, {err: errors.New("gone\nfor good")}}}
	tb.print(&text, false)
	tb.print(&markdown, true)
	if want := "| pings | 1.0 | 3.0 | 2.0 | 0 | 0 | 1000 | 1000 | 1.00 | 1.00 to 1.00 | 2 | 2 of 4 | 0 % | 0 % | 2 connects, 20 frames | yes | 1008 ×3 | held |"; !strings.Contains(markdown.String(), want) {
		t.Errorf("got %s", &markdown)
	}
	if strings.Count(text.String(), "\n") != 3 || !strings.Contains(text.String(), "MISSED: gone\n") {
		t.Errorf("got %s", &text)
	}
	if tb.failed() == nil || (&table{[]row{held}}).failed() != nil {
		t.Error("what has failed is not told")
	}
}

// TestFigures: what is slow in one window only does not make the p99, what is slow in each does.
func TestFigures(t *testing.T) {
	const ms = time.Millisecond
	trips := func(slow func(i int) bool) (all []trip) {
		for i := range 3000 { // one a millisecond
			took := ms
			if slow(i) {
				took = 9 * ms
			}
			all = append(all, trip{time.Unix(0, int64(i)*int64(ms)), took})
		}
		return all
	}
	for name, tt := range map[string]struct {
		slow func(i int) bool
		p99  time.Duration
	}{
		"none":            {func(int) bool { return false }, ms},
		"one window":      {func(i int) bool { return i > 1000 && i < 1400 }, ms},
		"some all along":  {func(i int) bool { return i%50 == 0 }, 9 * ms},
		"few all along":   {func(i int) bool { return i%300 == 0 }, ms},
		"no window whole": {func(i int) bool { return i == 0 }, ms},
	} {
		if f := figuresOf(trips(tt.slow), time.Time{}, time.Time{}, nil); f.Echoes != 3000 || f.P50 != ms || f.P99 != tt.p99 {
			t.Errorf("%s: got %+v, want a p99 of %v", name, f, tt.p99)
		}
	}
	for name, tt := range map[string]struct {
		slow, taken []int         // windows
		late        time.Duration // how long after the end of a window it was seen
		p99         time.Duration
		counted     int
	}{
		"the host took none":       {[]int{1}, nil, 0, ms, 5},
		"from those that are slow": {[]int{0, 1, 2, 4}, []int{0, 1, 2, 4}, 0, ms, 1},
		"from others":              {[]int{0, 1, 2}, []int{3, 4}, 0, 9 * ms, 3},
		"from all":                 {[]int{0, 1, 2}, []int{0, 1, 2, 3, 4}, 0, 9 * ms, 0},
		"seen in the next one":     {[]int{0, 1, 2, 3}, []int{0, 1, 2}, lookAtHost, ms, 1},
	} {
		var at []time.Time
		for _, w := range tt.taken {
			at = append(at, time.Unix(0, int64(w+1)*int64(window)+int64(tt.late)))
		}
		f := figuresOf(trips(func(i int) bool { return slices.Contains(tt.slow, (i-1)/500) }), time.Time{}, time.Time{}, at)
		if f.P99 != tt.p99 || f.Counted != tt.counted || f.Windows != 5 {
			t.Errorf("%s: got %+v, want a p99 of %v from %d windows of 5", name, f, tt.p99, tt.counted)
		}
	}
	stalled := trips(func(i int) bool { return i == 1000 })
	for i := range stalled[1000:] { // nothing comes for two seconds, then what was under way
		stalled[1000+i].at = stalled[1000+i].at.Add(2 * time.Second)
	}
	if f := figuresOf(stalled[:2000], time.Time{}, time.Time{}, nil); f.P99 != 9*ms || f.Windows != 7 {
		t.Errorf("with a stall: got %+v, want a p99 of %v in 7 windows", f, 9*ms)
	}
	early := trips(func(int) bool { return false })[:1000]
	if f := figuresOf(early, time.Time{}, time.Unix(3, 0), nil); f.P99 < window || f.Windows != 6 {
		t.Errorf("with a stall at the end: got %+v, want a p99 of %v and more in 6 windows", f, window)
	}
	late := []trip{{time.Unix(3, 0), 3 * time.Second}}
	if f := figuresOf(late, time.Unix(0, 0), time.Unix(3, 0), nil); f.P99 < window || f.Windows != 5 {
		t.Errorf("with a stall at the start: got %+v, want a p99 of %v and more in 5 windows", f, window)
	}
	if f := figuresOf(nil, time.Unix(0, 0), time.Unix(3, 0), nil); f.P50 < window || f.P99 < window || f.Windows != 6 {
		t.Errorf("with nothing but a stall: got %+v, want a p99 of %v and more in 6 windows", f, window)
	}
	if f := figuresOf(nil, time.Time{}, time.Time{}, nil); f != (figures{}) {
		t.Errorf("of none: got %+v", f)
	}
	if f := figuresOf(trips(func(int) bool { return false })[:3], time.Time{}, time.Time{}, nil); f.P99 != ms {
		t.Errorf("of three: got %+v", f)
	}
}
