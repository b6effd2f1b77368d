package hub

import (
	"container/list"
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/fiberwsx/wsx/ws"
)

const (
	// mostStreams bounds the streams that are known, and streamIdle how long one without a connection is.
	mostStreams = 100_000
	streamIdle  = 10 * time.Minute
	// maxStreamID is the longest name of a stream in bytes.
	maxStreamID = 128
)

// streams are those that have a connection, or had one not long ago.
type streams struct {
	mu    sync.Mutex
	named map[string]*list.Element // in all; the values are *stream
	all   list.List                // the one that was used least recently first
	epoch uint64
}

func (t *streams) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all.Len()
}

// take returns the stream of that name, made if it is not known, and the epoch of its next connection.
func (t *streams) take(h *Hub, id string) (s *stream, epoch uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forgetLocked(time.Now())
	t.epoch = max(t.epoch+1, uint64(time.Now().UnixMicro())) // so it rises over restarts too
	if id == "" {
		return &stream{hub: h, id: rand.Text(), next: 1}, t.epoch
	}
	if e, ok := t.named[id]; ok {
		t.all.MoveToBack(e)
		return e.Value.(*stream), t.epoch
	}
	s = &stream{hub: h, id: id, kept: true, next: 1}
	if t.named == nil {
		t.named = make(map[string]*list.Element)
	}
	t.named[id] = t.all.PushBack(s)
	return s, t.epoch
}

// forgetLocked forgets some of the streams that nobody has used for long, or that are too many.
func (t *streams) forgetLocked(now time.Time) {
	for range 8 {
		e := t.all.Front()
		if e == nil {
			return
		}
		s := e.Value.(*stream)
		s.mu.Lock()
		unused := s.conn == nil && s.quietLocked()
		old := now.Sub(s.idle) > streamIdle || t.all.Len() >= mostStreams
		s.mu.Unlock()
		switch {
		case !unused:
			t.all.MoveToBack(e)
		case old:
			delete(t.named, s.id)
			t.all.Remove(e)
		default:
			return
		}
	}
}

// streamID returns what names the connection's stream: a claim of its token, or, for a client without one, a part of
// its request; "" when there is neither.
func (c *Conn) streamID() string {
	id := c.Subject()
	if claim := c.hub.cfg.StreamClaim; claim != "" && id != "" {
		id, _ = c.Claims()[claim].(string)
	}
	if id == "" && c.Subject() == "" {
		kind, name, _ := strings.Cut(c.hub.cfg.StreamLookup, ":")
		switch kind {
		case "param":
			id = c.Params(name)
		case "query":
			id = c.Query(name)
		case "header":
			id = c.Header(name)
		}
	}
	if len(id) > maxStreamID || !utf8.ValidString(id) {
		return ""
	}
	return id
}

// acknowledges reports whether the client is told what becomes of its messages.
func (c *Conn) acknowledges() bool {
	return c.hub.cfg.Ack != AckNone && (c.hub.cfg.AckAlways || c.Subprotocol() == AckProtocol)
}

// attach gives the connection its stream, and takes that over from the connection before, whose messages are settled
// first. It sends the hello. When the connection ends meanwhile, or the stored position cannot be read, nothing that it
// sends counts.
func (c *Conn) attach() {
	if c.closing() {
		return
	}
	s, epoch := c.hub.streams.take(c.hub, c.streamID())
	c.stream.Store(s)
	s.mu.Lock()
	before := s.conn
	s.conn, s.epoch, s.greeted = c, epoch, false
	s.mu.Unlock()
	if before != nil {
		_ = before.Close(ws.StatusReplaced, "replaced by a newer connection")
	}
	if !s.awaitQuiet(c) {
		return
	}
	resumed, err := s.resume(c)
	if err != nil {
		c.report(err)
		_ = c.Close(ws.StatusTryAgainLater, "stored position not available")
		return
	}
	s.greet(c, resumed)
}

// positionTimeout is how long the stored position of a stream may take to read.
const positionTimeout = 5 * time.Second

// resume reports whether the numbers go on, because this process knows the stream, or the store does.
func (s *stream) resume(c *Conn) (resumed bool, err error) {
	s.mu.Lock()
	known := s.known
	s.mu.Unlock()
	if known || c.hub.cfg.Ack != AckResume || !s.kept {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(c.Context(), positionTimeout)
	defer cancel()
	number, stored := uint64(0), false
	err = c.guard("Position", func() (err error) {
		number, stored, err = c.hub.cfg.Position(ctx, s.id)
		return err
	})
	if err != nil || !stored {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == c && !s.known {
		s.next = number + 1
		s.settled.Store(number)
	}
	return true, nil
}

// greet sends the hello, from which on messages count and acks are sent.
func (s *stream) greet(c *Conn, resumed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c {
		return
	}
	s.greeted, s.known = true, true
	s.acked = s.settled.Load()
	c.sending = sending{next: s.next, bytes: s.bytes, greeted: true}
	c.wire.Note(hello{
		WSX: "hello", Stream: s.id, Epoch: s.epoch, Resumed: resumed, Next: s.next,
		Window: c.hub.cfg.MaxUnsettled, WindowBytes: c.hub.cfg.MaxUnsettledBytes,
	}.payload())
}

// detach ends what binds the stream to the connection.
func (s *stream) detach(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == c {
		s.conn, s.greeted, s.idle = nil, false, time.Now()
	}
}

func validLookup(s string) bool {
	kind, name, _ := strings.Cut(s, ":")
	return s == "" || name != "" && (kind == "param" || kind == "query" || kind == "header")
}
