package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/examples/internal/testkit"
)

func TestPresenceTellsChangesOnce(t *testing.T) {
	p := newPresence()
	p.arrive("a")
	p.arrive("a")
	p.arrive("b")
	p.depart("a")
	<-p.changed
	if got, want := p.take(), (map[string]bool{"a": true, "b": true}); !maps.Equal(got, want) {
		t.Errorf("changes are %v, want %v", got, want)
	}
	p.depart("a")
	p.arrive("a")
	p.depart("b")
	<-p.changed
	if got, want := p.take(), (map[string]bool{"a": true, "b": false}); !maps.Equal(got, want) {
		t.Errorf("changes are %v, want %v", got, want)
	}
	if got, want := p.list(), (map[string]bool{"a": true}); !maps.Equal(got, want) {
		t.Errorf("connected are %v, want %v", got, want)
	}
}

func TestSpeed(t *testing.T) {
	var s speed
	at := time.Unix(1e9, 0)
	for i, want := range []float64{0, 10, 10, 10, 10, 10, 8, 6} {
		count := int64(min(i, 5)) * 10
		if got := s.per(count, at.Add(time.Duration(i)*time.Second)); got != want {
			t.Errorf("second %d: %v a second, want %v", i, got, want)
		}
	}
}

// Watchers that take nothing cost readings they are not shown, and no time of the devices.
func TestPushNeverWaits(t *testing.T) {
	r := start(t, newDB(t))
	dial(t, "ws://"+r.address+"/live", nil)
	testkit.Eventually(t, "somebody watches", func() bool { return r.live.hub.Len() == 1 })
	r.live.close() // nobody takes from the feed
	for range maxFeed + 2 {
		r.live.push(some("dev1", 5))
	}
	if missed := r.live.missed.Load(); missed != 10 {
		t.Errorf("%d readings counted as missed, want 10", missed)
	}
	r.live.stop = make(chan struct{}) // for the end of the test
}

// TestATabThatWasAway does not read while its series go on: it comes back to the latest of each, at once.
func TestATabThatWasAway(t *testing.T) {
	const series, rounds = 400, 150
	r := start(t, newDB(t))
	client := dial(t, "ws://"+r.address+"/live", nil) // which reads nothing yet
	testkit.Eventually(t, "it watches", func() bool { return r.live.hub.Room(everything).Len() == 1 })
	r.live.close() // this test sends in its place
	r.live.stop = make(chan struct{})
	long := strings.Repeat("x", 200)
	for n := range rounds {
		readings := make([]reading, series)
		for i := range readings {
			readings[i] = reading{"dev1", fmt.Sprint(i, long), float64(n), noon.Add(time.Duration(n) * time.Second)}
		}
		r.live.sendReadings(readings)
	}
	replaced := r.live.hub.Stats().Conflated
	if replaced < series {
		t.Errorf("only %d values were replaced", replaced)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	latest, got := make(map[string]float64), 0
	for current := 0; current < series; got++ {
		_, data, err := client.Read(ctx)
		if err != nil {
			t.Fatalf("after %d messages, with the latest of %d series: %v", got, current, err)
		}
		var m readingsMessage
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		for _, p := range m.Readings {
			if p.Value < latest[p.Metric] {
				t.Fatalf("%.9s went back from %v to %v", p.Metric, latest[p.Metric], p.Value)
			}
			if latest[p.Metric] = p.Value; p.Value == rounds-1 {
				current++
			}
		}
	}
	if got > series*rounds-int(replaced)+1 { // and the totals at the start
		t.Errorf("%d messages for %d values", got, series*rounds)
	}
}
