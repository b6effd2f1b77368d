package main

import (
	"maps"
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
