package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/fiberwsx/wsx/examples/internal/testkit"
)

// numbered returns messages from the first to the last number, each with one reading of that value.
func numbered(device string, first, last int) (messages []message) {
	for i := first; i <= last; i++ {
		messages = append(messages, message{
			device: device, number: uint64(i), at: noon, readings: []reading{{device, "n", float64(i), noon}},
		})
	}
	return messages
}

// valuesOf returns what is stored of a device, in the order of storing.
func valuesOf(t *testing.T, s store, device string) string {
	t.Helper()
	readings, err := s.readings(t.Context(), filter{device: device, limit: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range readings {
		all = append(all, fmt.Sprint(r.Value))
	}
	return strings.Join(all, " ")
}

// What is committed again is not stored again: the answer to a commit may be lost.
func TestCommitIsIdempotent(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		s := newStore(t, db)
		for _, tt := range []struct {
			messages []message
			want     outcome
			values   string
		}{
			{numbered("a", 1, 3), outcome{}, "1 2 3"},
			{numbered("a", 1, 3), outcome{duplicates: 3}, "1 2 3"},
			{numbered("a", 2, 5), outcome{duplicates: 2}, "1 2 3 4 5"},
			{append(numbered("a", 6, 6), numbered("b", 1, 1)...), outcome{}, "1 2 3 4 5 6"},
			{numbered("a", 9, 9), outcome{gaps: 2}, "1 2 3 4 5 6 9"},
			{numbered("a", 0, 0), outcome{}, "1 2 3 4 5 6 9 0"}, // of a client without acks
		} {
			got, err := s.commit(t.Context(), tt.messages)
			if err != nil || got != tt.want {
				t.Errorf("got %+v (%v), want %+v", got, err, tt.want)
			}
			if got := valuesOf(t, s, "a"); got != tt.values {
				t.Errorf("stored are %s, want %s", got, tt.values)
			}
		}
		for stream, want := range map[string]uint64{"a": 9, "b": 1, "c": 0} {
			if n, known, err := s.position(t.Context(), stream); n != want || known != (want > 0) || err != nil {
				t.Errorf("position of %s is %d, %t (%v), want %d", stream, n, known, err, want)
			}
		}
	})
}

// The position is part of the transaction: when the readings are not stored, it is not raised.
func TestFailedCommitRaisesNoPosition(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		s := newStore(t, db)
		breakDatabase(t, s, "readings", "new.value = 3")
		if _, err := s.commit(t.Context(), numbered("a", 1, 5)); err == nil {
			t.Fatal("it was committed")
		}
		if n, known, err := s.position(t.Context(), "a"); n != 0 || known || err != nil {
			t.Errorf("position %d, %t (%v), want none", n, known, err)
		}
	})
}

// A message is buried only when the same transaction fails without its dead letter and succeeds with it.
func TestBury(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		s := newStore(t, db)
		m := numbered("a", 1, 1)[0]
		m.reason, m.body = "it failed", []byte("x")
		breakDatabase(t, s, "readings", "new.value = 2")
		if o, err := s.bury(t.Context(), m); err != nil || o.buried {
			t.Errorf("got %+v (%v), want that it is stored after all", o, err)
		}
		m2 := numbered("a", 2, 2)[0]
		m2.reason = "it failed" // and its body is empty
		for _, want := range []outcome{{buried: true}, {buried: true, duplicates: 1}} {
			if o, err := s.bury(t.Context(), m2); err != nil || o != want {
				t.Errorf("got %+v (%v), want %+v", o, err, want)
			}
		}
		if _, n := countOf(t, s); n != 1 {
			t.Errorf("%d dead letters, want 1", n)
		}
		if n, _, err := s.position(t.Context(), "a"); n != 2 || err != nil {
			t.Errorf("position %d (%v), want 2", n, err)
		}
		if got := valuesOf(t, s, "a"); got != "1" {
			t.Errorf("stored are %s, want 1", got)
		}
	})
}

func TestOlderDatabaseIsBroughtUpToDate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	s, err := openStore(path)
	if err != nil {
		t.Fatal(err)
	}
	execute(t, s, "DROP TABLE positions; DROP TABLE dead_letters; PRAGMA user_version = 1")
	if err := errors.Join(insert(s, some("a", 2)), s.close()); err != nil {
		t.Fatal(err)
	}
	s = newStore(t, path)
	if _, err := s.commit(t.Context(), numbered("a", 1, 1)); err != nil {
		t.Error(err)
	}
	if got := valuesOf(t, s, "a"); got != "0 1 1" {
		t.Errorf("stored are %s", got)
	}
}

// One message that the database will never take is a dead letter; its neighbours are stored, once.
func TestPoisonIsADeadLetter(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		r := start(t, db)
		breakDatabase(t, r.store, "readings", "new.value = 7")
		c := r.connectAcks(t, "dev1")
		for i := 1; i <= 20; i++ {
			send(t, c, readingJSON("n", float64(i)))
		}
		for got := ""; got != `{"wsx":"ack","seq":20}`; {
			if got = receive(t, c); strings.Contains(got, "nack") {
				t.Errorf("got %s", got)
			}
		}
		if got := valuesOf(t, r.store, "dev1"); got != "1 2 3 4 5 6 8 9 10 11 12 13 14 15 16 17 18 19 20" {
			t.Errorf("stored are %s", got)
		}
		testkit.Eventually(t, "the ack is counted", func() bool { return r.delivery().Acks > 0 })
		if d := r.delivery(); d.DeadLetters != 1 || d.Gaps != 0 || d.Duplicates != 0 || d.Unsettled != 0 {
			t.Errorf("figures are %+v, want one dead letter", d)
		}
		if got := r.totals(); got != (totals{20, 19, 1, 1}) {
			t.Errorf("stats are %+v", got)
		}
	})
}

// A bad reading is acknowledged, because it is kept: with its message, as a dead letter.
func TestBadReadingsAreDeadLetters(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		r := start(t, db)
		c := r.connectAcks(t, "dev1")
		bad := "[" + readingJSON("n", 1) + `,{"metric":"n"}]`
		for _, m := range []string{bad, "", "no JSON"} {
			send(t, c, m)
		}
		for receive(t, c) != `{"wsx":"ack","seq":3}` {
		}
		var body, reason string
		err := raw(r.store).QueryRow("SELECT body, reason FROM dead_letters WHERE device = 'dev1' AND number = 1").Scan(&body, &reason)
		if err != nil || body != bad || !strings.Contains(reason, "value") {
			t.Errorf("the dead letter is %q because %q (%v)", body, reason, err)
		}
		if d := r.delivery(); d.DeadLetters != 3 || d.AckMS <= 0 || d.AckSlowMS < d.AckMS {
			t.Errorf("figures are %+v", d)
		}
		if got := r.totals(); got != (totals{4, 1, 3, 1}) {
			t.Errorf("stats are %+v", got)
		}
	})
}

// connectAcks connects as a device that wants acks, and reads the hello.
func (r *running) connectAcks(t *testing.T, device string) *websocket.Conn {
	t.Helper()
	c := r.connectAs(t, device, "wsx.ack.v1")
	if hello := receive(t, c); !strings.Contains(hello, `"stream":"`+device+`"`) {
		t.Fatalf("the hello is %s", hello)
	}
	return c
}

// A newer server goes on where the database ends, whatever the device remembers.
func TestHelloAfterARestart(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		r := start(t, db)
		c := r.connectAcks(t, "dev1")
		for i := range 5 {
			send(t, c, readingJSON("n", float64(i)))
		}
		testkit.Eventually(t, "they are stored", func() bool { return r.totals().Stored == 5 })
		_ = c.CloseNow()
		r.stop()
		r = start(t, db)
		hello := receive(t, r.connectAs(t, "dev1", "wsx.ack.v1"))
		if !strings.Contains(hello, `"resumed":true,"next":6,`) {
			t.Errorf("the hello is %s", hello)
		}
	})
}

// A database that takes nothing for longer than a batch is tried makes the devices wait. What is then tried by itself
// is not taken for poison.
func TestOutageMakesNoDeadLetters(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		r := start(t, db)
		breakDatabase(t, r.store, "readings", "TRUE")
		breakDatabase(t, r.store, "dead_letters", "TRUE")
		c := r.connectAcks(t, "dev1")
		send(t, c, readingJSON("n", 1))
		testkit.Eventually(t, "its attempts are over", func() bool { return r.ingest.hub.Stats().BatchRetries >= 4 })
		for i := 2; i <= 8; i++ {
			send(t, c, readingJSON("n", float64(i)))
		}
		mendDatabase(t, r.store, "readings", "dead_letters")
		for receive(t, c) != `{"wsx":"ack","seq":8}` {
		}
		if got := valuesOf(t, r.store, "dev1"); got != "1 2 3 4 5 6 7 8" {
			t.Errorf("stored are %s", got)
		}
		if d := r.delivery(); d.DeadLetters != 0 || d.Gaps != 0 || d.Duplicates != 0 {
			t.Errorf("figures are %+v, want no dead letter", d)
		}
	})
}

// A device that sends nothing but garbage does not fill the disk.
func TestOnlyTheNewestDeadLettersAreKept(t *testing.T) {
	onEach(t, func(t *testing.T, db string) {
		s := newStore(t, db)
		garbage := make([]message, maxDeadLetters+5)
		for i := range garbage {
			garbage[i] = message{device: "a", number: uint64(i + 1), at: noon, reason: "garbage"}
		}
		for _, part := range [][]message{garbage[:10], garbage[10:]} {
			if _, err := s.commit(t.Context(), part); err != nil {
				t.Fatal(err)
			}
		}
		var n, oldest int
		if err := raw(s).QueryRow("SELECT count(*), min(number) FROM dead_letters").Scan(&n, &oldest); err != nil {
			t.Fatal(err)
		}
		if _, ever := countOf(t, s); n != maxDeadLetters || oldest != 6 || ever != maxDeadLetters+5 {
			t.Errorf("%d are kept from number %d, and %d counted", n, oldest, ever)
		}
	})
}

// What a device sends while the database takes nothing fills its window; then the device is not read, and the figures
// say so. It is read again when the database is.
func TestPausedDevicesAreCounted(t *testing.T) {
	r := start(t, newDB(t))
	breakDatabase(t, r.store, "readings", "TRUE")
	breakDatabase(t, r.store, "dead_letters", "TRUE")
	c := r.connectAcks(t, "dev1")
	for i := range 1200 { // the window is 1,000
		send(t, c, readingJSON("n", float64(i)))
	}
	testkit.Eventually(t, "the device is paused", func() bool {
		_, body := r.get(t, "/api/stats")
		return strings.Contains(body, `"paused":1,"pauses":1,"paused_ms":0,`)
	})
	mendDatabase(t, r.store, "readings", "dead_letters")
	for receive(t, c) != `{"wsx":"ack","seq":1200}` {
	}
	if d := r.delivery(); d.Paused != 0 || d.PausedMS == 0 {
		t.Errorf("figures are %+v, want no pause any more", d)
	}
}
