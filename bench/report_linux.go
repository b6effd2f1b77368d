package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// about says where and how the results came to be.
type about struct {
	Date       string `json:"date"`
	Commit     string `json:"commit"`
	Go         string `json:"go"`
	Kernel     string `json:"kernel"`
	Processor  string `json:"processor"`
	Processors int    `json:"processors"`
	Rounds     int    `json:"rounds"`
	Duration   string `json:"duration"`
}

func thisMachine(o options) about {
	a := about{
		Date: time.Now().Format(time.DateOnly), Commit: "unknown", Go: runtime.Version(), Processors: runtime.NumCPU(),
		Rounds: o.rounds, Duration: o.duration.String(),
	}
	if out, err := exec.Command("git", "describe", "--always", "--dirty").Output(); err == nil {
		a.Commit = strings.TrimSpace(string(out))
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		a.Kernel = unix.ByteSliceToString(name.Release[:])
		a.Kernel, _, _ = strings.Cut(a.Kernel, "-")
	}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		_, rest, _ := bytes.Cut(b, []byte("model name\t: "))
		model, _, _ := bytes.Cut(rest, []byte("\n"))
		a.Processor = string(model)
	}
	return a
}

// String is the line above the tables.
func (a about) String() string {
	return fmt.Sprintf("%s, commit %s, %s, Linux %s, %d × %s; %d rounds of %s each. Median (lowest–highest).",
		a.Date, a.Commit, a.Go, a.Kernel, a.Processors, a.Processor, a.Rounds, a.Duration)
}

// save writes the files that were asked for.
func (r *results) save(o options) error {
	var errs []error
	if o.json != "" {
		errs = append(errs, r.saveJSON(o.json))
	}
	if o.markdown != "" {
		errs = append(errs, r.saveMarkdown(o.markdown))
	}
	return errors.Join(errs...)
}

func (r *results) saveJSON(file string) error {
	type row struct {
		Workload string               `json:"workload"`
		Unit     string               `json:"unit"`
		Values   map[string][]float64 `json:"values"`
		Medians  map[string]float64   `json:"medians"`
		Ratios   map[string]float64   `json:"ratios"` // of wsx to each, the median of the rounds
	}
	var rows []row
	for _, l := range r.workloads {
		unit := l.unit
		if unit == "" {
			unit = perMessage
		}
		w := row{Workload: l.name, Unit: unit, Values: r.values[l.name], Medians: map[string]float64{}, Ratios: map[string]float64{}}
		for _, p := range r.programs {
			w.Medians[p.name] = median(r.good(l.name, p.name))
			w.Ratios[p.name] = median(ratios(r.values[l.name][wsxName], r.values[l.name][p.name]))
		}
		rows = append(rows, w)
	}
	b, err := json.MarshalIndent(map[string]any{"about": r.about, "results": rows, "failures": r.failures}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o600)
}

// The results stand between these lines of a Markdown file.
const (
	openMark  = "<!-- results -->"
	closeMark = "<!-- end of results -->"
)

func (r *results) saveMarkdown(file string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(old), openMark)
	_, after, ok2 := strings.Cut(rest, closeMark)
	if !ok || !ok2 {
		return fmt.Errorf("%s: there are no lines %q and %q", file, openMark, closeMark)
	}
	var b bytes.Buffer
	b.WriteString(before + openMark + "\n")
	r.print(&b)
	b.WriteString("\n" + closeMark + after)
	return os.WriteFile(file, b.Bytes(), 0o644) //nolint:gosec // documentation
}
