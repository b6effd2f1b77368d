package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/fiberwsx/wsx/examples/internal/testkit"
	"github.com/fiberwsx/wsx/hub"
)

// While the database refuses, a batch comes again: its readings are in flight, nobody is told anything, and in the end
// each is stored, counted and answered once.
func TestReadingsWaitForTheDatabase(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		r := start(t, db)
		breakDatabase(t, r.store, "readings", "TRUE")
		c := r.connect(t, "dev1")
		send(t, c, "["+readingJSON("a", 1)+",{},"+readingJSON("a", 2)+"]")
		testkit.Eventually(t, "it is tried again", func() bool { return r.ingest.hub.Stats().BatchRetries >= 2 })
		if got := getJSON[totals](t, r, "/api/stats"); got != (totals{3, 0, 0, 1}) {
			t.Errorf("stats are %+v, want 3 accepted and nothing settled", got)
		}
		mendDatabase(t, r.store, "readings")
		testkit.Eventually(t, "it is stored", func() bool { return r.totals().Stored == 2 })
		if got := getJSON[totals](t, r, "/api/stats"); got != (totals{3, 2, 1, 1}) {
			t.Errorf("stats are %+v, want 2 stored and 1 rejected of 3", got)
		}
		if got := getJSON[[]reading](t, r, "/api/readings"); len(got) != 2 {
			t.Errorf("%d readings in the database, want 2", len(got))
		}
		send(t, c, "no JSON")
		for _, want := range []string{`"index":1`, "not JSON"} { // one answer to the first message, not one an attempt
			if got := receive(t, c); !strings.Contains(got, want) {
				t.Errorf("got %s, want the answer with %s", got, want)
			}
		}
	})
}

// A device that sends garbage and does not read the answers is cut off; the others do not wait for it.
func TestDeviceThatDoesNotReadIsCutOff(t *testing.T) {
	r := start(t, newDB(t))
	bad, good := r.connect(t, "bad"), r.connect(t, "good")
	garbage := []byte("[" + strings.Repeat("0,", maxTold-1) + "0]") // each has an answer
	var flood sync.WaitGroup
	flood.Go(func() {
		_ = bad.Write(context.Background(), websocket.MessageText, []byte("["+strings.Repeat("0,", maxReadings-1)+"0]"))
		for bad.Write(context.Background(), websocket.MessageText, garbage) == nil {
		}
	})
	testkit.Eventually(t, "it is cut off", func() bool {
		for c := range r.ingest.hub.Conns() {
			if c.Subject() == "bad" && c.State() == hub.StateOpen {
				return false
			}
		}
		return true
	})
	send(t, good, readingJSON("a", 1))
	testkit.Eventually(t, "the other's reading is stored", func() bool { return r.totals().Stored == 1 })
	_ = bad.CloseNow()
	_ = good.CloseNow()
	flood.Wait()
}

// TestAFullDisk: a database that answers and takes nothing is away too, and what waited is stored when there is room.
func TestAFullDisk(t *testing.T) {
	r := start(t, newDB(t))
	execute(t, r.store, "PRAGMA max_page_count = 1") // which SQLite takes for no more than there are
	c := r.connect(t, "dev1")
	for i := range 300 {
		send(t, c, readingJSON(fmt.Sprint("a metric with a name of some length ", i), float64(i)))
	}
	testkit.Eventually(t, "the database is away", func() bool {
		return getJSON[delivery](t, r, "/api/stats").DatabaseAway > 0
	})
	execute(t, r.store, "PRAGMA max_page_count = 100000")
	testkit.Eventually(t, "all are stored", func() bool { return r.totals().Stored == 300 })
	if away := getJSON[delivery](t, r, "/api/stats").DatabaseAway; away != 0 {
		t.Errorf("it is away for %v s", away)
	}
}
