package wsx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// journalEnv is the file of a server whose database is slow.
const journalEnv = "WSX_TEST_JOURNAL"

// journal is a database: a file with a line for each message, "stream number". A batch takes it 50 ms, one at a time,
// and none is committed before the hub drains.
type journal struct {
	hub  *hub.Hub
	file *os.File

	mu       sync.Mutex
	position map[string]uint64
}

// configure makes cfg that of a hub that writes to the journal of the environment.
func (j *journal) configure(cfg *hub.Config) {
	file, err := os.OpenFile(os.Getenv(journalEnv), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	j.file, j.position = file, make(map[string]uint64)
	cfg.OnMessage, cfg.OnBatch = nil, j.store
	cfg.Ack, cfg.StreamLookup, cfg.Position = hub.AckResume, "query:device", j.positionOf
	cfg.Batch = batch.Config{Lanes: 20, MaxAge: time.Hour} // they have room for 1,000 messages each
}

func (j *journal) store(_ context.Context, b *hub.Batch) error {
	for !j.hub.Draining() {
		<-time.After(time.Millisecond)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	<-time.After(50 * time.Millisecond)
	var lines []byte
	for _, it := range b.All() {
		if it.Number != j.position[it.Stream]+1 {
			return fmt.Errorf("%s: number %d comes after %d", it.Stream, it.Number, j.position[it.Stream])
		}
		j.position[it.Stream] = it.Number
		lines = fmt.Appendf(lines, "%s %s\n", it.Stream, it.Message.Data)
	}
	_, err := j.file.Write(lines)
	return err
}

func (j *journal) positionOf(_ context.Context, stream string) (number uint64, known bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	number, known = j.position[stream]
	return number, known, nil
}

// eager is a device that sends, also while the server shuts down, until it is told that this is over.
type eager struct {
	*wsxtest.Client
	stream string
	acked  uint64
	status ws.Status // of the close frame; 0: there was none
}

// live reads until the close frame.
func (d *eager) live() {
	for {
		m, err := d.Read()
		if err != nil {
			d.status = ws.StatusOf(err)
			return
		}
		var note struct {
			WSX string
			Seq uint64
		}
		if json.Unmarshal(m.Data, &note) == nil && note.WSX == "ack" {
			d.acked = note.Seq
		}
	}
}

// TestSIGTERMWithTenThousandInFlight: a hundred devices have each sent a hundred messages, of which none is committed,
// and go on sending. The signal comes; all that was accepted is committed, in order, once; each device has an ack for
// all that is, and hears 1001.
func TestSIGTERMWithTenThousandInFlight(t *testing.T) {
	const devices, each = 100, 100
	file := filepath.Join(t.TempDir(), "journal")
	t.Setenv(journalEnv, file)
	p := start(t, "journal")
	all := make([]*eager, devices)
	for i := range all {
		name := fmt.Sprint("dev", i)
		c := wsxtest.Dial(t, "ws://"+p.addr+"/ws?device="+name, wsxtest.Options{Subprotocols: []string{hub.AckProtocol}})
		if hello := c.ReadText(); !strings.Contains(hello, `"next":1,`) {
			t.Fatalf("got %s", hello)
		}
		for n := range each {
			c.SendText(strconv.Itoa(n + 1))
		}
		all[i] = &eager{Client: c, stream: "?" + name}
	}
	eventually(t, "all are accepted", func() bool {
		resp, _ := wsxtest.Exchange(t, p.addr, "GET /accepted HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		return body(t, resp) == strconv.Itoa(devices*each)
	})
	if b, err := os.ReadFile(file); err != nil || len(b) > 0 {
		t.Fatalf("committed before the signal: %q, %v", b, err)
	}
	p.signal(t)
	var reading, sending sync.WaitGroup
	for _, d := range all {
		reading.Go(d.live)
		sending.Go(func() {
			for n := each + 1; d.Frame(true, opText, []byte(strconv.Itoa(n))) == nil; n++ {
				<-time.After(time.Millisecond)
			}
		})
	}
	if got := p.exit(t); got != 0 {
		t.Errorf("exit status %d, want 0\n%s", got, p.stderr)
	}
	reading.Wait()
	sending.Wait()
	committed := readJournal(t, file)
	total := 0
	for _, d := range all {
		total += committed[d.stream]
		if d.status != ws.StatusGoingAway || int(d.acked) != committed[d.stream] || d.acked < each {
			t.Errorf("%s: %d messages committed, %d acknowledged, closed with %d", d.stream, committed[d.stream], d.acked, d.status)
		}
	}
	report := fmt.Sprintf("report.accepted=%d report.committed=%[1]d report.dead_lettered=0 report.nacked=0 report.dropped=0 report.abandoned=0", total)
	if !strings.Contains(p.stderr.String(), report) {
		t.Errorf("the log does not say %q:\n%s", report, p.stderr)
	}
}

// readJournal returns how many messages each stream has; they are those from 1 on, in order and once.
func readJournal(t *testing.T, file string) map[string]int {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for line := range strings.Lines(string(b)) {
		stream, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.Atoi(text); err != nil || n != count[stream]+1 {
			t.Fatalf("%s: message %s comes after %d", stream, text, count[stream])
		}
		count[stream]++
	}
	return count
}
