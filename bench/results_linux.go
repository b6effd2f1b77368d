package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// results are the values of every round.
type results struct {
	workloads []workload
	programs  []program
	about     about
	values    map[string]map[string][]float64 // by workload and server; 0 where it failed
	failures  []string
}

func newResults(ws []workload, ps []program, o options) *results {
	r := &results{workloads: ws, programs: ps, about: thisMachine(o), values: make(map[string]map[string][]float64)}
	for _, w := range ws {
		r.values[w.name] = make(map[string][]float64)
	}
	return r
}

func (r *results) add(workload, server string, v float64, err error) {
	if err != nil {
		r.failures = append(r.failures, fmt.Sprintf("%s, %s: %v", workload, server, err))
		v = -1
	}
	r.values[workload][server] = append(r.values[workload][server], v)
}

// failed returns an error when a run of wsx failed: that of a peer only stands in the table.
func (r *results) failed() error {
	var errs []error
	for _, f := range r.failures {
		if strings.Contains(f, ", "+wsxName+": ") {
			errs = append(errs, errors.New(f))
		}
	}
	return errors.Join(errs...)
}

func (r *results) rounds() int {
	n := 0
	for _, of := range r.values {
		for _, v := range of {
			n = max(n, len(v))
		}
	}
	return n
}

// good returns the values of the rounds that did not fail.
func (r *results) good(workload, server string) []float64 {
	return slices.DeleteFunc(slices.Clone(r.values[workload][server]), func(v float64) bool { return v < 0 })
}

// print writes the tables.
func (r *results) print(w io.Writer) {
	fmt.Fprintf(w, "%s\n\n", r.about)
	r.printCosts(w)
	fmt.Fprintln(w)
	r.printRatios(w)
	for _, f := range r.failures {
		fmt.Fprintf(w, "\nfailed: %s", f)
	}
}

func (r *results) printCosts(w io.Writer) {
	fmt.Fprint(w, "| |")
	for _, p := range r.programs {
		fmt.Fprintf(w, " %s |", p.name)
	}
	fmt.Fprintf(w, "\n|---|%s\n", strings.Repeat("---|", len(r.programs)))
	for _, l := range r.workloads {
		unit := l.unit
		if unit == "" {
			unit = perMessage
		}
		fmt.Fprintf(w, "| %s, %s |", l.name, unit)
		for _, p := range r.programs {
			fmt.Fprintf(w, " %s |", spread(r.good(l.name, p.name)))
		}
		fmt.Fprintln(w)
	}
}

// spread prints the median, and how far the values lie apart.
func spread(values []float64) string {
	if len(values) == 0 {
		return "–"
	}
	if slices.Min(values) == slices.Max(values) {
		return number(values[0])
	}
	return fmt.Sprintf("%s (%s–%s)", number(median(values)), number(slices.Min(values)), number(slices.Max(values)))
}

func (r *results) printRatios(w io.Writer) {
	references := []string{contribName, gwsName, limitName}
	fmt.Fprintln(w, "| wsx against | contrib | gws | raw epoll |\n|---|---|---|---|")
	for _, l := range r.workloads {
		if l.budget == (budget{}) || l.acked {
			continue
		}
		fmt.Fprintf(w, "| %s |", l.name)
		for _, reference := range references {
			fmt.Fprintf(w, " %s |", r.compared(l, reference))
		}
		fmt.Fprintln(w)
	}
	for _, l := range r.workloads {
		if rs := ratios(r.values[l.name][wsxName], r.values[l.plain][wsxName]); len(rs) > 0 {
			fmt.Fprintf(w, "\n%s against %s: %s, %s\n", l.name, l.plain, number(median(rs)), verdict(median(rs), l.budget.plain, 0))
		}
		if l.budget.most > 0 {
			own := median(r.good(l.name, wsxName))
			fmt.Fprintf(w, "\n%s: %s %s, %s\n", l.name, number(own), l.unit, verdict(own, l.budget.most, 0))
		}
	}
}

// compared prints the median of the ratios of each round, and the verdict on it.
func (r *results) compared(l workload, reference string) string {
	rs := ratios(r.values[l.name][wsxName], r.values[l.name][reference])
	if len(rs) == 0 {
		return "–"
	}
	most, aim := l.budget.share(reference)
	text := number(median(rs))
	if v := verdict(median(rs), most, aim); v != "" {
		text += ", " + v
	}
	return text
}
