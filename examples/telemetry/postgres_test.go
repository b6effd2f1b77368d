package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/examples/internal/testkit"
)

// What keeps the program from its database is told in a sentence, without the password.
func TestPostgresThatCannotBeOpened(t *testing.T) {
	good := newPostgres(t)
	execute(t, newStore(t, good), "UPDATE telemetry_schema SET version = 99")
	latin := strings.ReplaceAll(good, "/test", "/latin")
	name := latin[strings.LastIndex(latin, "/")+1:]
	err := cluster.server.Exec(t.Context(), "postgres", "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ db, want string }{
		{good, "schema has version 99"},
		{latin, "encoding is LATIN1"},
		{strings.Replace(good, "correct", "wrong", 1), "refuses the user postgres: password authentication failed"},
		{good + "missing", "does not exist"},
		{"postgres://postgres:correct%20horse@127.0.0.1:1/x", "no database answers at 127.0.0.1:1"},
		{"postgres://postgres:correct horse@@[::1/x", "-db wants an address"},
		{"postgres://postgres:correct/horse@127.0.0.1:nonsense/x", "-db wants an address"},
		{good + "?sslmode=correct%20horse", "sslmode"},
		{good + "?pool_max_conns=correct%20horse", "-db wants an address"},
	} {
		var stderr strings.Builder
		if code := run([]string{"-db", tt.db, "-addr", "127.0.0.1:0"}, io.Discard, &stderr); code != 1 {
			t.Errorf("%s: exit code %d", tt.want, code)
		}
		said := strings.TrimSpace(stderr.String())
		if !strings.Contains(said, tt.want) || strings.Contains(said, "\n") || strings.Contains(said, "horse") {
			t.Errorf("it said %q, want %q in one line without the password", said, tt.want)
		}
	}
}

// The password is nowhere in what the program says, also while the database is away.
func TestPasswordIsNotTold(t *testing.T) {
	s, db := haltingPostgres(t)
	p := startProcess(t, "-db", db)
	testkit.Eventually(t, "something is stored", func() bool { return getJSON[totals](t, p.running, "/api/stats").Stored > 0 })
	s.Stop()
	testkit.Eventually(t, "the database is away", func() bool { return getJSON[delivery](t, p.running, "/api/stats").DatabaseAway > 0 })
	if err := s.Restart(); err != nil { // else the shutdown would wait for it
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	_ = p.cmd.Process.Signal(os.Interrupt)
	p.wait(t)
	said := p.stdout + p.stderr.String()
	if !strings.Contains(said, "the database is away") || strings.Contains(said, "horse") {
		t.Errorf("it said\n%s", said)
	}
}

// While PostgreSQL is away, whether it was stopped or killed, devices wait; what they have sent is stored when it is
// back, once and in order, and nothing is taken for poison.
func TestPostgresComesBack(t *testing.T) {
	server, db := haltingPostgres(t)
	r := start(t, db)
	c := r.connectAcks(t, "dev1")
	sent := 0
	for _, end := range []func(){server.Stop, server.Kill} {
		for range 3 {
			sent++
			send(t, c, readingJSON("n", float64(sent)))
		}
		testkit.Eventually(t, "they are stored", func() bool { return r.totals().Stored == int64(sent) })
		end()
		for range 3 {
			sent++
			send(t, c, readingJSON("n", float64(sent)))
		}
		testkit.Eventually(t, "it is known", func() bool { return r.delivery().DatabaseAway > 0 })
		if code, body := r.get(t, "/api/readings"); code != http.StatusServiceUnavailable || !strings.Contains(body, "away") {
			t.Errorf("asked for readings it answers %d %s", code, body)
		}
		if err := server.Restart(); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "all are stored", func() bool { return r.totals().Stored == int64(sent) })
		testkit.Eventually(t, "this is known, too", func() bool { return r.delivery().DatabaseAway == 0 })
	}
	if got := valuesOf(t, r.store, "dev1"); got != "1 2 3 4 5 6 7 8 9 10 11 12" {
		t.Errorf("stored are %s", got)
	}
	if d := r.delivery(); d.DeadLetters != 0 || d.Gaps != 0 || d.Unsettled != 0 {
		t.Errorf("figures are %+v", d)
	}
}

// A commit whose answer is lost is tried again, and has stored everything once.
func TestLostAnswerToACommit(t *testing.T) {
	db := newPostgres(t)
	cut := loseCommits(t, db)
	s := newStore(t, cut.address(db))
	if _, err := s.commit(t.Context(), numbered("a", 1, 3)); err != nil {
		t.Fatal(err)
	}
	cut.next()
	var away awayError
	if _, err := s.commit(t.Context(), numbered("a", 4, 6)); !errors.As(err, &away) || !errors.Is(err, batch.ErrUnavailable) {
		t.Fatalf("got %v, want that the database is away", err)
	}
	if o, err := s.commit(t.Context(), numbered("a", 4, 6)); err != nil || o != (outcome{duplicates: 3}) {
		t.Errorf("got %+v (%v), want 3 duplicates", o, err)
	}
	if got := valuesOf(t, s, "a"); got != "1 2 3 4 5 6" {
		t.Errorf("stored are %s", got)
	}
}

// commitCutter is a proxy in front of PostgreSQL that can lose the answer to a commit.
type commitCutter struct {
	net.Listener

	mu    sync.Mutex
	armed bool
}

func loseCommits(t *testing.T, db string) *commitCutter {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &commitCutter{Listener: ln}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", hostOf(db))
			if err != nil {
				_ = near.Close()
				continue
			}
			serving.Go(func() { _, _ = io.Copy(far, near); _ = far.Close() })
			serving.Go(func() { p.answer(near, far) })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); serving.Wait() })
	return p
}

// address is db's, through the proxy.
func (p *commitCutter) address(db string) string {
	return strings.Replace(db, hostOf(db), p.Addr().String(), 1)
}

func hostOf(db string) string {
	_, rest, _ := strings.Cut(db, "@")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// next has the next commit's answer lost.
func (p *commitCutter) next() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = true
}

// answer hands on what the server says, but for that something is committed.
func (p *commitCutter) answer(near, far net.Conn) {
	defer func() { _ = near.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := far.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		lose := p.armed && bytes.Contains(buffer[:n], []byte("COMMIT\x00"))
		p.armed = p.armed && !lose
		p.mu.Unlock()
		if lose {
			return
		}
		if _, err := near.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// A server may take over while the last transactions of another one are on their way: what both store is there once,
// and neither waits for ever.
func TestTwoServersStoreTheSame(t *testing.T) {
	db := newPostgres(t)
	var streams []string
	var batch []message
	for i := range 20 {
		streams = append(streams, strings.Repeat("x", i+1))
	}
	for n := 1; n <= 10; n++ {
		for _, stream := range streams {
			batch = append(batch, numbered(stream, n, n)...)
		}
	}
	backwards := slices.Clone(batch)
	slices.SortStableFunc(backwards, func(a, b message) int { return strings.Compare(b.device, a.device) })
	var stores sync.WaitGroup
	for _, messages := range [][]message{batch, backwards} {
		s := newStore(t, db)
		stores.Go(func() {
			for at := 0; at < len(messages); at += 50 {
				if _, err := s.commit(t.Context(), messages[at:at+50]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	stores.Wait()
	s := newStore(t, db)
	for _, stream := range streams {
		if got := valuesOf(t, s, stream); got != "1 2 3 4 5 6 7 8 9 10" {
			t.Errorf("of %s there are %s", stream, got)
		}
	}
	if n, _ := countOf(t, s); n != int64(len(batch)) {
		t.Errorf("%d are counted, want %d", n, len(batch))
	}
}

// A transaction that takes too long is given up and not the messages: the same again stores them.
func TestSlowTransactionIsTriedAgain(t *testing.T) {
	s := newStore(t, newPostgres(t)).(*pgStore)
	s.limit = 200 * time.Millisecond
	lock, err := s.write.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec(t.Context(), "LOCK TABLE readings"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.commit(t.Context(), numbered("a", 1, 3)); !errors.As(err, new(awayError)) {
		t.Errorf("got %v, want that the database is away", err)
	}
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.limit = transactTime
	if o, err := s.commit(t.Context(), numbered("a", 1, 3)); err != nil || o != (outcome{}) {
		t.Errorf("got %+v (%v)", o, err)
	}
	if got := valuesOf(t, s, "a"); got != "1 2 3" {
		t.Errorf("stored are %s", got)
	}
}

// The reason of a dead letter may be anything, also what PostgreSQL takes for no text.
func TestReasonThatIsNoText(t *testing.T) {
	s := newStore(t, newPostgres(t))
	m := message{device: "a", number: 1, at: noon, reason: "zero \x00 and half a rune \xe6", body: []byte{0, 0xff}}
	if o, err := s.bury(t.Context(), m); err != nil || !o.buried {
		t.Errorf("got %+v (%v)", o, err)
	}
	if got, err := s.readings(t.Context(), filter{device: "\x00", limit: 1}); err != nil || len(got) != 0 {
		t.Errorf("a name that cannot be has %v (%v)", got, err)
	}
}
