package wsx_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// faultsAt are what can go wrong somewhere on the way to the server.
var faultsAt = map[string]struct {
	faults func(at int64) wsxtest.Faults
	status ws.Status // that OnClose gets
	deaf   bool      // the client hears nothing of the server any more
}{
	"split": {func(at int64) wsxtest.Faults { return wsxtest.Faults{SplitAt: []int64{at}} }, 1000, false},
	"late": {func(at int64) wsxtest.Faults {
		return wsxtest.Faults{SplitAt: []int64{at}, Delay: 50 * time.Millisecond}
	}, 1000, false},
	"scattered": {func(int64) wsxtest.Faults { return wsxtest.Faults{ChunkSize: 1} }, 1000, false},
	"slow":      {func(int64) wsxtest.Faults { return wsxtest.Faults{Throttle: 1000} }, 1000, false},
	"silent":    {func(at int64) wsxtest.Faults { return wsxtest.Faults{LoseAfter: at} }, ws.StatusHeartbeatTimeout, false},
	"half":      {func(at int64) wsxtest.Faults { return wsxtest.Faults{HalfCloseAfter: at} }, 1006, false},
	"truncated": {func(at int64) wsxtest.Faults { return wsxtest.Faults{TruncateAfter: at} }, 1006, true},
	"reset":     {func(at int64) wsxtest.Faults { return wsxtest.Faults{ResetAfter: at} }, 1006, true},
}

// inRequest are places in the handshake's request.
var inRequest = []int64{-1, 20, 150}

// faultsOfReply are what can go wrong while the server writes more than sockets hold.
var faultsOfReply = map[string]struct {
	faults wsxtest.Faults
	status ws.Status
}{
	"scattered": {wsxtest.Faults{ChunkSize: 1000}, 1000},
	"stalled":   {wsxtest.Faults{StallAfter: 100_000}, ws.StatusSlowConsumer},
	"half":      {wsxtest.Faults{HalfCloseAfter: 100_000}, 1006},
	"truncated": {wsxtest.Faults{TruncateAfter: 100_000}, 1006},
	"reset":     {wsxtest.Faults{ResetAfter: 100_000}, 1006},
}

// largeReply is what the server sends for "large": this often that many bytes.
const largeReply, largeMessage = 256, 64 << 10

// faulted is a server whose clients fail.
type faulted struct {
	hub     *hub.Hub
	address string

	mu    sync.Mutex
	ended map[string]chan ws.Status // that OnClose got, by what the client calls itself
}

func newFaulted(t *testing.T, on transport) *faulted {
	f := &faulted{ended: make(map[string]chan ws.Status)}
	f.hub = echoHub(hub.Config{
		Rate: -1, ControlRate: -1, PingInterval: 250 * time.Millisecond, PongTimeout: 3500 * time.Millisecond, CloseTimeout: time.Second,
		OutboxMessages: 2 * largeReply, OutboxBytes: 2 * largeReply * largeMessage, WriteDeadline: time.Second,
		OnMessage: func(c *hub.Conn, m hub.Message) error {
			if m.Text() != "large" {
				return c.Send(m)
			}
			for i := range largeReply {
				if err := c.SendText(largeText(i)); err != nil {
					return err
				}
			}
			return nil
		},
		OnClose: func(c *hub.Conn, err error) { f.end(c.Query("name")) <- ws.StatusOf(err) },
	})
	on.readTimeout = 5 * time.Second // a fault in the request waits for it
	f.address = on.serve(t, f.hub)
	return f
}

func largeText(i int) string { return strconv.Itoa(i) + strings.Repeat(".", largeMessage) }

func (f *faulted) end(name string) chan ws.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended[name] == nil {
		f.ended[name] = make(chan ws.Status, 1)
	}
	return f.ended[name]
}

// wantEnd waits for the end of a connection.
func (f *faulted) wantEnd(t *testing.T, name string, status ws.Status) {
	t.Helper()
	select {
	case got := <-f.end(name):
		if got != status {
			t.Errorf("OnClose got %s, want %s", got, status)
		}
	case <-time.After(15 * time.Second):
		t.Errorf("the connection does not end")
	}
}

// neighbour talks to the server until stop is closed, and has to be answered at once.
func (f *faulted) neighbour(t *testing.T, name string, stop <-chan struct{}) {
	c := dialed(t, f.address+"?name="+name)
	if c == nil {
		return
	}
	longest := time.Duration(0)
	for n := 0; ; n++ {
		begun := time.Now()
		if err := c.Frame(true, opText, []byte(numbered(n))); err != nil {
			t.Errorf("a neighbour's message %d: %v", n, err)
			return
		}
		if err := readNumbered(c, []int{n}); err != nil {
			t.Errorf("a neighbour: %v", err)
			return
		}
		longest = max(longest, time.Since(begun))
		select {
		case <-stop:
			if longest > 2*time.Second { // for a machine that is busy
				t.Errorf("a neighbour waited for %s", longest)
			}
			_ = c.Frame(true, opClose, []byte{3, 232})
			_, _ = c.Read()
			_ = c.Conn().Close()
			f.wantEnd(t, name, ws.StatusNormalClosure)
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestFaults has clients fail in every way at every place, all at once: each connection ends with the status that it
// should, or goes on, the neighbours notice nothing, and nothing stays.
func TestFaults(t *testing.T) { onEach(t, testFaults) }

func testFaults(t *testing.T, on transport) {
	f := newFaulted(t, on)
	stop := make(chan struct{})
	f.neighbour(t, "first", closedChan()) // starts what is started once
	before := takeBase()
	var neighbours sync.WaitGroup
	for i := range 3 {
		neighbours.Go(func() { f.neighbour(t, fmt.Sprint("neighbour", i), stop) })
	}
	cases := f.cases()
	titles := slices.Sorted(maps.Keys(cases))
	crowd(len(titles), len(titles), func(i int) {
		t.Run(titles[i], func(t *testing.T) { cases[titles[i]](t, strings.ReplaceAll(titles[i], " ", "-")) })
	})
	close(stop)
	neighbours.Wait()
	awaitOver(t, f.hub)
	before.await(t)
	opened := 4 + len(titles)
	for _, row := range faultsAt {
		if row.status != ws.StatusNormalClosure {
			opened -= len(inRequest)
		}
	}
	if got := f.hub.Stats().Opened; got != uint64(opened) {
		t.Errorf("%d connections opened, want %d", got, opened)
	}
}

func closedChan() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// cases are the ways to fail; each is told the name by which the client calls itself.
func (f *faulted) cases() map[string]func(t *testing.T, name string) {
	cases := make(map[string]func(*testing.T, string))
	for fault := range faultsAt {
		for place := range newSpeech().places {
			cases[fault+" "+place] = func(t *testing.T, name string) { f.inSpeech(t, name, fault, place) }
		}
		for _, at := range inRequest {
			cases[fmt.Sprint(fault, " in the handshake at ", at)] = func(t *testing.T, name string) { f.inHandshake(t, name, fault, at) }
		}
	}
	for fault := range faultsOfReply {
		cases[fault+" in a large reply"] = func(t *testing.T, name string) { f.inReply(t, name, fault) }
	}
	return cases
}

// inSpeech has a fault at a place in the frames.
func (f *faulted) inSpeech(t *testing.T, name, fault, where string) {
	row, s := faultsAt[fault], newSpeech()
	p := s.places[where]
	c := wsxtest.Dial(t, f.address+"?name="+name, wsxtest.Options{Faults: []wsxtest.Faults{row.faults(p.at)}})
	_ = c.Raw(s.frames) // the first write, so that the places are right; it may fail when nothing may be written
	if row.deaf {
		f.wantEnd(t, name, row.status)
		return
	}
	replies := s.replies
	if row.status != ws.StatusNormalClosure {
		replies = s.replies[:p.replies]
	}
	got, err := heard(c)
	if !slices.Equal(got, replies) {
		t.Errorf("got the replies %q, want %q", got, replies)
	}
	if row.status == ws.StatusAbnormalClosure && !errors.Is(err, io.EOF) ||
		row.status != ws.StatusAbnormalClosure && ws.StatusOf(err) != row.status {
		t.Errorf("the client's stream ended with %v, want %s", err, row.status)
	}
	f.wantEnd(t, name, row.status)
}

// inHandshake has a fault in the request, behind so many bytes.
func (f *faulted) inHandshake(t *testing.T, name, fault string, at int64) {
	row := faultsAt[fault]
	c, resp, err := wsxtest.TryDial(t, f.address+"?name="+name, wsxtest.Options{Dial: func() (net.Conn, error) {
		nc, err := net.Dial("tcp", hostOf(f.address))
		return wsxtest.Faulty(nc, row.faults(at)), err
	}})
	if row.status != ws.StatusNormalClosure {
		if c != nil {
			t.Errorf("the handshake succeeded: %v", resp)
		}
		return // the figures of the hub will show that nothing was opened
	}
	if err != nil {
		t.Fatal(err)
	}
	said(t, c, "hello")
	c.Close()
	f.wantEnd(t, name, row.status)
}

func hostOf(address string) string {
	return strings.TrimSuffix(strings.TrimPrefix(address, "ws://"), "/ws")
}

// inReply has a fault while the client gets more than sockets hold.
func (f *faulted) inReply(t *testing.T, name, fault string) {
	row := faultsOfReply[fault]
	row.faults.Reading = true
	c := wsxtest.Dial(t, f.address+"?name="+name, wsxtest.Options{
		Faults: []wsxtest.Faults{row.faults},
		Dial: func() (net.Conn, error) {
			nc, err := net.Dial("tcp", hostOf(f.address))
			if err == nil && fault == "stalled" { // a client that reads must not be slow as well
				err = nc.(*net.TCPConn).SetReadBuffer(16 << 10)
			}
			return nc, err
		},
	})
	c.SendText("large")
	if fault == "stalled" {
		f.wantEnd(t, name, row.status)
		return
	}
	for i := range largeReply {
		m, err := c.Read()
		if err != nil && row.status != ws.StatusNormalClosure {
			f.wantEnd(t, name, row.status)
			return
		}
		if err != nil || string(m.Data) != largeText(i) {
			t.Fatalf("message %d: got %.9q, %v", i, m.Data, err)
		}
	}
	_ = c.Frame(true, opClose, []byte{3, 232})
	if _, err := heard(c); row.status == ws.StatusNormalClosure && ws.StatusOf(err) != row.status {
		t.Errorf("the client's stream ended with %v", err)
	}
	f.wantEnd(t, name, row.status)
}
