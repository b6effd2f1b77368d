package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/fiberwsx/wsx/examples/internal/testkit"
)

func readingJSON(metric string, value float64) string {
	return fmt.Sprintf(`{"metric":%q,"value":%v,%s}`, metric, value, validTS)
}

func TestReadingsAreStoredInOrder(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		r := start(t, db)
		c := r.connect(t, "dev1")
		for i := range 100 {
			if i%2 == 0 {
				send(t, c, readingJSON("a", float64(i)))
			} else {
				send(t, c, "["+readingJSON("a", float64(i))+"]")
			}
		}
		testkit.Eventually(t, "all are stored", func() bool { return getJSON[totals](t, r, "/api/stats").Stored == 100 })
		got := getJSON[[]reading](t, r, "/api/readings?device=dev1")
		if len(got) != 100 {
			t.Fatalf("%d readings, want 100", len(got))
		}
		for i, reading := range got {
			if reading.Value != float64(i) || reading.Metric != "a" || reading.Device != "dev1" {
				t.Fatalf("reading %d is %+v", i, reading)
			}
		}
		if got := getJSON[totals](t, r, "/api/stats"); got != (totals{100, 100, 0, 1}) {
			t.Errorf("stats are %+v", got)
		}
	})
}

func TestShapeOfAReading(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		r := start(t, db)
		send(t, r.connect(t, "dev1"), `{"metric":"cpu","value":12.5,"ts":"2026-03-01T14:00:00.000000001+02:00"}`)
		testkit.Eventually(t, "it is stored", func() bool { return r.totals().Stored == 1 })
		const want = `[{"device":"dev1","metric":"cpu","value":12.5,"ts":"2026-03-01T12:00:00.000000001Z"}]`
		if _, body := r.get(t, "/api/readings"); body != want {
			t.Errorf("got  %s\nwant %s", body, want)
		}
	})
}

func TestBadReadingsAreAnsweredAndNotStored(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		r := start(t, db)
		c := r.connect(t, "dev1")
		send(t, c, "["+readingJSON("a", 1)+`,{"metric":"a","value":"x",`+validTS+`},`+readingJSON("a", 2)+"]")
		send(t, c, "not JSON")
		var first, second invalid
		for _, v := range []*invalid{&first, &second} {
			if err := json.Unmarshal([]byte(receive(t, c)), v); err != nil {
				t.Fatal(err)
			}
		}
		if first.Type != "error" || first.Code != "invalid" || first.Field != "value" || first.Index != 1 {
			t.Errorf("the first answer is %+v", first)
		}
		if second.Code != "invalid" || second.Index != 0 {
			t.Errorf("the second answer is %+v", second)
		}
		if got := getJSON[totals](t, r, "/api/stats"); got != (totals{4, 2, 2, 1}) {
			t.Errorf("stats are %+v, want 4 accepted, 2 stored, 2 rejected, 1 connected", got)
		}
		if got := getJSON[[]reading](t, r, "/api/readings"); len(got) != 2 {
			t.Errorf("%d readings in the database, want the 2 good ones", len(got))
		}
	})
}

func TestStatsAddUpAtAnyMoment(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		r := start(t, db)
		var devices sync.WaitGroup
		for d := range 4 {
			c := r.connect(t, fmt.Sprint("dev", d))
			devices.Go(func() {
				for i := range 200 {
					send(t, c, "["+readingJSON("a", float64(i))+",{}]")
				}
			})
		}
		most := int64(1000 * r.store.lanes()) // a batch of 500 messages in each
		testkit.Eventually(t, "all are settled", func() bool {
			got := getJSON[totals](t, r, "/api/stats")
			if inFlight := got.Accepted - got.Stored - got.Rejected; inFlight < 0 || inFlight > most {
				t.Errorf("%+v does not add up", got)
			}
			return got.Stored == 800 && got.Rejected == 800
		})
		devices.Wait()
	})
}

func TestSecondStartGoesOn(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		r := start(t, db)
		token := getJSON[struct{ Token string }](t, r, "/api/token?device=dev1").Token
		first := r.connect(t, "dev1")
		send(t, first, readingJSON("a", 1))
		testkit.Eventually(t, "it is stored", func() bool { return r.totals().Stored == 1 })
		_ = first.CloseNow() // it does not read, and would be waited for
		r.stop()

		r = start(t, db)
		c := dial(t, "ws://"+r.address+"/ingest", http.Header{"Authorization": {"Bearer " + token}}) // still good
		send(t, c, readingJSON("a", 2))
		testkit.Eventually(t, "it is stored too", func() bool { return r.totals().Stored == 2 })
		got := getJSON[[]reading](t, r, "/api/readings")
		if len(got) != 2 || got[0].Value != 1 || got[1].Value != 2 {
			t.Errorf("readings are %+v, want both", got)
		}
	})
}

func TestIngestNeedsAToken(t *testing.T) {
	r := start(t, newDB(t))
	for name, header := range map[string]http.Header{
		"none":    nil,
		"garbage": {"Authorization": {"Bearer x.y.z"}},
		"another server's": {"Authorization": {"Bearer " + func() string {
			token, err := signer{[]byte(strings.Repeat("o", 32)), time.Hour}.token("dev1")
			if err != nil {
				t.Fatal(err)
			}
			return token
		}()}},
	} {
		_, response, err := websocket.Dial(t.Context(), "ws://"+r.address+"/ingest", &websocket.DialOptions{HTTPHeader: header})
		if err == nil || response == nil || response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %v, want 401", name, err)
		}
	}
}

func TestQueryParameters(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		r := start(t, db)
		if err := insert(r.store, some("dev 1", 1500)); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			query string
			code  int
			n     int
		}{
			{"", 200, 1000},
			{"limit=5", 200, 5},
			{"limit=100000", 200, 1500},
			{"limit=99999999999999999999", 200, 1500},
			{"device=dev%201&metric=m1&limit=2000", 200, 750},
			{"since=2026-03-01T12:24:58Z", 200, 2},
			{"since=2026-03-01T14:24:58%2B02:00", 200, 2},
			{"since=2026-03-01T14:24:58+02:00", 200, 2},
			{"device=nobody", 200, 0},
			{"limit=0", 400, 0},
			{"limit=-1", 400, 0},
			{"limit=ten", 400, 0},
			{"since=yesterday", 400, 0},
		} {
			code, body := r.get(t, "/api/readings?"+tt.query)
			if code != tt.code {
				t.Errorf("%s: %d %.200s, want %d", tt.query, code, body, tt.code)
				continue
			}
			if code != http.StatusOK {
				if !strings.HasPrefix(body, `{"error":`) {
					t.Errorf("%s: the body is %s", tt.query, body)
				}
				continue
			}
			var got []reading
			if err := json.Unmarshal([]byte(body), &got); err != nil || len(got) != tt.n || got == nil {
				t.Errorf("%s: %d readings (%v), want %d", tt.query, len(got), err, tt.n)
			}
		}
	})
}

func TestDevicesShowTheirNewestReadings(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		r := start(t, db)
		if err := insert(r.store, some("old", 3)); err != nil {
			t.Fatal(err)
		}
		r.connect(t, "new")
		testkit.Eventually(t, "it has arrived", func() bool { return r.live.presence.list()["new"] })
		const want = `[{"device":"old","connected":false,"metrics":[` +
			`{"metric":"m0","value":2,"ts":"2026-03-01T12:00:02.987654321Z"},` +
			`{"metric":"m1","value":1,"ts":"2026-03-01T12:00:01.987654321Z"}]},` +
			`{"device":"new","connected":true,"metrics":[]}]`
		if _, body := r.get(t, "/api/devices"); body != want {
			t.Errorf("got  %s\nwant %s", body, want)
		}
	})
}

func TestHealth(t *testing.T) {
	r := start(t, newDB(t))
	if code, _ := r.get(t, "/healthz"); code != http.StatusOK {
		t.Errorf("%d before the shutdown, want 200", code)
	}
	if err := r.ingest.hub.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code, _ := r.get(t, "/healthz"); code != http.StatusServiceUnavailable {
		t.Errorf("%d while draining, want 503", code)
	}
}

func TestLiveShowsWhatIsStored(t *testing.T) {
	r := start(t, newDB(t))
	all := dial(t, "ws://"+r.address+"/live", nil)
	one := dial(t, "ws://"+r.address+"/live?device=dev2", nil)
	for _, watcher := range []*websocket.Conn{all, one} {
		if first := receive(t, watcher); !strings.HasPrefix(first, `{"type":"stats",`) {
			t.Errorf("the first message is %s", first)
		}
	}
	for _, device := range []string{"dev1", "dev2"} {
		send(t, r.connect(t, device), readingJSON("<b>", 7))
	}
	shown := func(device string) string {
		return fmt.Sprintf(`{"type":"readings","device":"%s","readings":`+
			`[{"metric":"\u003cb\u003e","value":7,"ts":"2026-03-01T12:00:00Z"}]}`, device)
	}
	expect(t, all, "", shown("dev1"), shown("dev2"))
	expect(t, one, "dev1", shown("dev2"))
}

// expect receives until each of the messages has come, in any order and among others, none of which may contain a
// forbidden text.
func expect(t *testing.T, c *websocket.Conn, forbidden string, messages ...string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for len(messages) > 0 {
		got := receive(t, c)
		if forbidden != "" && strings.Contains(got, forbidden) {
			t.Errorf("was sent %s", got)
		}
		messages = slices.DeleteFunc(messages, func(m string) bool { return m == got })
		if time.Now().After(deadline) {
			t.Fatalf("never came: %q", messages)
		}
	}
}

func TestPagesOfOtherSitesCannotWatch(t *testing.T) {
	r := start(t, newDB(t))
	header := http.Header{"Origin": {"https://evil.example"}}
	_, response, err := websocket.Dial(t.Context(), "ws://"+r.address+"/live", &websocket.DialOptions{HTTPHeader: header})
	if err == nil || response == nil || response.StatusCode != http.StatusForbidden {
		t.Errorf("got %v, want 403", err)
	}
}

func TestPageLoadsNothingFromElsewhere(t *testing.T) {
	r := start(t, newDB(t))
	for _, path := range []string{"/", "/app.js", "/chart.js", "/feed.js", "/history.js", "/series.js", "/units.js", "/style.css", "/icon.svg"} {
		code, body := r.get(t, path)
		if code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
		without := strings.ReplaceAll(body, "http://www.w3.org/2000/svg", "") // a name, not a place
		for _, forbidden := range []string{"http://", "https://", "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval("} {
			if strings.Contains(without, forbidden) {
				t.Errorf("%s contains %s", path, forbidden)
			}
		}
	}
}
