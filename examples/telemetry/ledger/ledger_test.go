package main

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/examples/internal/postgres"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The whole of it in a few seconds: every acknowledged reading is stored, once and in order.
func TestLedger(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a killed process may keep its files for a while on Windows")
	}
	for _, db := range []string{"sqlite", "postgres"} {
		t.Run(db, func(t *testing.T) {
			o := options{devices: 10, kills: 3, rate: 20, duration: 6 * time.Second, db: db}
			var progress bytes.Buffer
			r, err := rehearse(t.Context(), o, &progress)
			if errors.Is(err, postgres.ErrMissing) && os.Getenv("WSX_REQUIRE") != "all" {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range r.faults() {
				t.Error(fault)
			}
			if r.kills != 3 || r.outages != 2 || r.cuts == 0 || r.stalls == 0 || r.splits == 0 || r.stored < 500 || r.stored != r.promised {
				t.Error("too little has happened")
			}
			if t.Failed() {
				t.Logf("%s%s", &progress, r.table())
			}
		})
	}
}

// Whatever may be wrong with what is stored is found.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	s := deviceState{made: 4, sent: 4, acked: 3} // messages of 2, 3, 1 and 2 readings
	for name, tt := range map[string]struct {
		values []uint64
		want   tally
	}{
		"all is well":                  {[]uint64{1, 1, 2, 2, 2, 3}, tally{}},
		"more is stored than promised": {[]uint64{1, 1, 2, 2, 2, 3, 4, 4}, tally{}},
		"a message is missing":         {[]uint64{1, 1, 3}, tally{missing: 3}},
		"a part of one is missing":     {[]uint64{1, 2, 2, 2, 3}, tally{missing: 1}},
		"nothing is there":             {nil, tally{missing: 6}},
		"twice at once":                {[]uint64{1, 1, 2, 2, 2, 2, 3}, tally{twice: 1}},
		"twice later":                  {[]uint64{1, 1, 2, 2, 2, 3, 1, 1}, tally{twice: 2, disorder: 2}},
		"in the wrong order":           {[]uint64{2, 2, 2, 1, 1, 3}, tally{disorder: 2}},
		"never sent":                   {[]uint64{0, 1, 1, 2, 2, 2, 3, 5}, tally{strangers: 2}},
	} {
		tt.want.made, tt.want.acked, tt.want.promised, tt.want.stored = 4, 3, 6, len(tt.values)
		if got := check(s, tt.values); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}

// A device notices what a server may not say.
func TestDeviceHearsWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		said  note
		wrong bool
	}{
		{note{WSX: "hello", Next: 6}, false},
		{note{WSX: "hello", Next: 9}, false},
		{note{WSX: "hello", Next: 5}, true},
		{note{WSX: "hello", Next: 10}, true},
		{note{WSX: "ack", Seq: 8}, false},
		{note{WSX: "ack", Seq: 9}, true},
		{note{WSX: "nack", Seq: 6}, true},
		{note{WSX: "bye"}, true},
	} {
		d := &device{deviceState: deviceState{made: 9, sent: 8, acked: 5}}
		if err := d.hear(tt.said); (err != nil) != tt.wrong {
			t.Errorf("%+v: %v", tt.said, err)
		}
	}
}

func TestFaultsAreTold(t *testing.T) {
	good := report{options: options{kills: 2}, kills: 2, tally: tally{made: 5, acked: 5}}
	if faults := good.faults(); len(faults) != 0 {
		t.Errorf("a good run has the faults %q", faults)
	}
	for _, spoil := range []func(*report){
		func(r *report) { r.missing++ }, func(r *report) { r.twice++ }, func(r *report) { r.disorder++ },
		func(r *report) { r.strangers++ }, func(r *report) { r.acked-- }, func(r *report) { r.nacks++ },
		func(r *report) { r.crashes++ }, func(r *report) { r.kills-- }, func(r *report) { r.made, r.acked = 0, 0 },
		func(r *report) { r.broken = []string{"it lied"} },
	} {
		r := good
		spoil(&r)
		if faults := r.faults(); len(faults) != 1 {
			t.Errorf("%+v has the faults %q, want one", r, faults)
		}
	}
}

func TestWrongCommandLines(t *testing.T) {
	for _, args := range [][]string{{"-db", "mysql"}, {"-devices", "0"}, {"-rate", "0"}, {"more"}, {"-nonsense"}} {
		var stderr strings.Builder
		if code := run(t.Context(), args, &stderr, &stderr); code != 2 || stderr.Len() == 0 {
			t.Errorf("%v: exit code %d and %q", args, code, stderr.String())
		}
	}
}
