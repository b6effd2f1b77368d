package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/examples/internal/testkit"
)

// The agent comes back when the server does, and brings what it measured meanwhile.
func TestAgentComesBack(t *testing.T) {
	db := newDB(t)
	r := start(t, db)
	address, signs := r.address, r.signer // both are the next server's too
	var n float64
	a := &agent{
		url:    "ws://" + address + "/ingest",
		device: "dev1",
		token:  func() (string, error) { return signs.token("dev1") },
		ended:  func() bool { return false },
		sample: func(context.Context) []sample { n++; return []sample{{"n", n, time.Now()}} },
		log:    quiet(),
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx) }()
	testkit.Eventually(t, "it has begun", func() bool { return r.totals().Stored > 2 })
	r.stop()
	r = startAt(t, options{db: db, lifetime: time.Hour}, address)
	before := r.totals().Stored
	testkit.Eventually(t, "it goes on", func() bool { return r.totals().Stored > before+2 })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	testkit.Eventually(t, "it has gone", func() bool { return r.totals().Connected == 0 })
	got := getJSON[[]reading](t, r, "/api/readings?metric=n")
	for i, reading := range got[1:] {
		// Of a round that was on its way when the server went, nobody knows whether it arrived.
		if step := reading.Value - got[i].Value; step < 0 || step > 4 {
			t.Errorf("after %v comes %v", got[i].Value, reading.Value)
		}
	}
}

func TestAgentEndsWithItsServer(t *testing.T) {
	r := start(t, newDB(t))
	stop := r.startAgent("ws://"+r.address+"/ingest", "own")
	defer stop()
	testkit.Eventually(t, "it has begun", func() bool { return r.totals().Stored > 2 })
	before := time.Now()
	r.stop()
	stop()
	if took := time.Since(before); took > 4*time.Second {
		t.Errorf("the shutdown took %v with the agent", took)
	}
}

func TestWaitsBetweenConnections(t *testing.T) {
	for failures, want := range map[int]time.Duration{
		0: firstWait, 1: 2 * firstWait, 4: 16 * firstWait, 7: longestWait, 60: longestWait, 1 << 40: longestWait,
	} {
		if got := bound(failures); got != want {
			t.Errorf("after %d failures below %v, want %v", failures, got, want)
		}
	}
}

func TestAgentTriesLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		a := &agent{
			token:  func() (string, error) { tries++; return "", errors.New("no token today") },
			ended:  func() bool { return false },
			sample: func(context.Context) []sample { return nil },
			log:    quiet(),
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := a.run(ctx); err != nil {
			t.Error(err)
		}
		if tries < 120 || tries > 500 { // half of 30 s at the mean: 240
			t.Errorf("%d tries in an hour", tries)
		}
	})
}

func TestMachineHasFigures(t *testing.T) {
	m := newMachine(quiet())
	m.sample(t.Context())
	seen := map[string]float64{}
	for _, s := range m.sample(t.Context()) {
		seen[s.Metric] = s.Value
	}
	for _, metric := range []string{"cpu", "memory", "disk"} {
		if value, ok := seen[metric]; !ok || value < 0 || value > 100 {
			t.Errorf("%s is %v (%v)", metric, value, ok)
		}
	}
}

func TestRatesAreASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r rates
		first, _ := r.of(map[string]uint64{"in": 1000, "out": 5000}, nil)
		time.Sleep(2 * time.Second)
		second, _ := r.of(map[string]uint64{"in": 3000, "out": 10}, nil)
		if len(first) != 0 || len(second) != 1 || second["in"] != 1000 {
			t.Errorf("rates are %v and %v, want none, then 1000 in", first, second)
		}
	})
}
