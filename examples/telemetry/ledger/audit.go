package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
)

// tally is what was found of one device, or of all.
type tally struct {
	made, acked uint64 // messages
	promised    int    // readings in the messages that were acknowledged
	stored      int    // readings
	missing     int    // readings that were promised and are not stored
	twice       int    // readings more than their message has
	disorder    int    // readings behind one of a later message
	strangers   int    // readings of messages that nobody has sent
}

// check compares a device with the values that are stored of it, in the order of storing.
func check(s deviceState, values []uint64) tally {
	t := tally{made: s.made, acked: s.acked, stored: len(values)}
	found := make(map[uint64]int)
	var last uint64
	for _, n := range values {
		found[n]++
		switch {
		case n == 0 || n > s.sent:
			t.strangers++
		case n < last:
			t.disorder++
		}
		last = max(last, n)
	}
	for n := uint64(1); n <= s.sent; n++ {
		if n <= s.acked {
			t.promised += readings(n)
			t.missing += max(0, readings(n)-found[n])
		}
		t.twice += max(0, found[n]-readings(n))
	}
	return t
}

func (t *tally) add(o tally) {
	t.made += o.made
	t.acked += o.acked
	t.promised += o.promised
	t.stored += o.stored
	t.missing += o.missing
	t.twice += o.twice
	t.disorder += o.disorder
	t.strangers += o.strangers
}

// report is what a run has come to.
type report struct {
	options
	tally
	kills, refused, crashes, outages int
	conns, cuts, stalls, splits      int64
	nacks                            int
	broken                           []string
}

// audit compares what the devices were told with what is stored.
func (d *drama) audit() (report, error) {
	r := report{
		options: d.options,
		kills:   int(d.server.kills.Load()), refused: int(d.server.refused.Load()), crashes: int(d.server.crashes.Load()),
		outages: int(d.outages.Load()),
		conns:   d.proxy.conns.Load(), cuts: d.proxy.cuts.Load(), stalls: d.proxy.stalls.Load(), splits: d.proxy.splits.Load(),
	}
	stored, err := d.stored()
	if err != nil {
		return r, err
	}
	for _, device := range d.devices {
		s := device.state()
		r.add(check(s, stored[device.name]))
		r.nacks += s.nacks
		if s.broken != "" {
			r.broken = append(r.broken, s.broken)
		}
	}
	return r, nil
}

// stored returns the values that are stored of each device, in the order of storing.
func (d *drama) stored() (_ map[string][]uint64, err error) {
	db, err := d.db.open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	const query = "SELECT series.device, readings.value FROM readings JOIN series ON series.id = readings.series ORDER BY readings.id"
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make(map[string][]uint64)
	for rows.Next() {
		var device string
		var value float64
		if err := rows.Scan(&device, &value); err != nil {
			return nil, err
		}
		values[device] = append(values[device], uint64(value))
	}
	return values, rows.Err()
}

// faults are what must not be, one line each.
func (r report) faults() (faults []string) {
	for _, f := range []struct {
		n    int
		what string
	}{
		{r.missing, "readings were acknowledged and are not stored"},
		{r.twice, "readings are stored twice"},
		{r.disorder, "readings are stored in the wrong order"},
		{r.strangers, "readings are stored that nobody has sent"},
		{int(r.made - r.acked), "messages were never acknowledged"},
		{r.nacks, "messages were refused"},
		{r.crashes, "times the server has ended by itself"},
		{r.options.kills - r.kills, "kills are missing"},
	} {
		if f.n != 0 {
			faults = append(faults, fmt.Sprint(f.n, " ", f.what))
		}
	}
	if r.made == 0 {
		faults = append(faults, "no device has sent anything")
	}
	return append(faults, r.broken[:min(len(r.broken), 10)]...)
}

func (r report) table() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(what string, n any) { _, _ = fmt.Fprintf(w, "  %s\t%v\t\n", what, n) }
	_, _ = fmt.Fprintln(w)
	row("database", r.db)
	row("devices", r.devices)
	row("messages acknowledged", r.acked)
	row("readings acknowledged", r.promised)
	row("readings stored", r.stored)
	row("missing", r.missing)
	row("stored twice", r.twice)
	row("out of order", r.disorder)
	row("messages never acknowledged", r.made-r.acked)
	row("server killed", r.kills)
	row("starts without a database", r.refused)
	row("database taken away", r.outages)
	row("connections", r.conns)
	row("cut", r.cuts)
	row("stalled", r.stalls)
	row("split", r.splits)
	_ = w.Flush()
	return text.String() + "\n"
}
