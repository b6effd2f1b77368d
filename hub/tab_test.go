package hub_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/hub"
)

const (
	series  = 500
	updates = 6
	size    = 100
	inHand  = 1 // message that is written in part: it cannot be replaced any more, but counts until it is written
)

// TestTabThatStopsReading: one of 1,000 stops reading while 500 series go on. It gets the latest of each when it wakes
// up; until then no more than 500 messages wait behind the one that its socket has a part of; and the others get the
// latest of each too, without a wait.
func TestTabThatStopsReading(t *testing.T) {
	t.Run("detached", func(t *testing.T) { testTab(t, 1000, func(c net.Conn) net.Conn { return c }) })
	// Fewer: in place each message to each tab takes a goroutine of its own, and 1,000 tabs take 8 to 15 s under the
	// race detector.
	t.Run("in place", func(t *testing.T) { testTab(t, 300, func(c net.Conn) net.Conn { return veiled{c} }) })
}

// veiled is a connection that is driven in place, as TLS is.
type veiled struct{ net.Conn }

func (v veiled) NetConn() net.Conn { return v.Conn }

func testTab(t *testing.T, tabs int, wrap func(net.Conn) net.Conn) {
	h := newHub(t, hub.Config{
		OnMessage: nothing, OutboxMessages: series, OutboxBudget: 256 << 20,
		WriteDeadline: time.Minute, // the tab is away for as long as the others take
	})
	tab := connectVia(t, h, func(c net.Conn) net.Conn {
		must(t, c.(*net.TCPConn).SetWriteBuffer(16<<10))
		return wrap(c)
	})
	must(t, tab.Conn().(*net.TCPConn).SetReadBuffer(16<<10))
	must(t, tab.Conn().SetDeadline(time.Now().Add(time.Minute)))
	others := make(chan *board, tabs)
	for range tabs - 1 {
		s := connectVia(t, h, wrap)
		must(t, s.Conn().SetDeadline(time.Now().Add(time.Minute)))
		go func() { others <- s.watch() }()
	}
	keys := make([]hub.Policy, series)
	for k := range keys {
		keys[k] = hub.Conflate(strconv.Itoa(k))
	}
	value := make([]byte, size)
	for n := range updates {
		for k, policy := range keys {
			binary.BigEndian.PutUint32(value, uint32(k))
			binary.BigEndian.PutUint32(value[4:], uint32(n))
			must(t, h.All().With(policy).SendBinary(value))
			tab.wantWaiting(t, series+inHand)
		}
	}
	must(t, h.All().SendText("end"))
	for range tabs - 1 {
		(<-others).check(t)
	}
	want(t, "state of the tab", tab.handle.State(), hub.StateOpen)
	late := tab.watch()
	late.check(t)
	t.Logf("the tab got %d of %d values; %d were replaced", late.values, series*updates, h.Stats().Conflated)
	if late.values > series*updates/2 {
		t.Error("the tab was hardly behind")
	}
}

// wantWaiting wants at most so many messages to wait, in time: the socket may still be taking others.
func (s *session) wantWaiting(t *testing.T, most int) {
	t.Helper()
	for begun := time.Now(); ; runtime.Gosched() {
		switch waiting, _ := s.handle.Buffered(); {
		case waiting <= most:
			return
		case time.Since(begun) > 2*time.Second:
			t.Fatalf("%d messages wait, want %d at most", waiting, most)
		}
	}
}

// board is what somebody has seen of the series.
type board struct {
	latest   [series]int
	values   int
	wentBack bool
	end      string // the frame that is no value, by its length, and the error
}

// watch reads short frames to the end of the series.
func (s *session) watch() *board {
	b, frame := new(board), make([]byte, 2+size)
	in := bufio.NewReader(s.Conn())
	for {
		_, err := io.ReadFull(in, frame[:2])
		if err != nil || frame[1] != size {
			b.end = fmt.Sprint(frame[1], err)
			return b
		}
		_, _ = io.ReadFull(in, frame[2:])
		k, n := binary.BigEndian.Uint32(frame[2:]), int(binary.BigEndian.Uint32(frame[6:]))
		b.wentBack = b.wentBack || n < b.latest[k]
		b.latest[k] = n
		b.values++
	}
}

func (b *board) check(t *testing.T) {
	t.Helper()
	want(t, "a series went back", b.wentBack, false)
	want(t, "the last frame", b.end, "3 <nil>")
	for k, n := range b.latest {
		if n != updates-1 {
			t.Fatalf("the latest of series %d is %d, want %d", k, n, updates-1)
		}
	}
}
