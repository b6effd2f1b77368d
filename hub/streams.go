package hub

import (
	"container/list"
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

const (
	// mostStreams bounds the streams that are known, and streamIdle how long one without a connection is.
	mostStreams = 100_000
	streamIdle  = 10 * time.Minute
	// maxStreamID is the longest name of a stream in bytes.
	maxStreamID = 256
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

// take gives the stream of that name, made if it is not known, to a connection, and returns the one that had it.
func (t *streams) take(c *Conn, id string) (s *stream, before *Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forgetLocked(time.Now())
	t.epoch = max(t.epoch+1, uint64(time.Now().UnixMicro())) // so it rises over restarts too
	e, known := t.named[id]
	switch {
	case id == "":
		s = &stream{hub: c.hub, id: rand.Text(), next: 1}
	case known:
		t.all.MoveToBack(e)
		s = e.Value.(*stream)
	default:
		s = &stream{hub: c.hub, id: id, kept: true, next: 1}
		if t.named == nil {
			t.named = make(map[string]*list.Element)
		}
		t.named[id] = t.all.PushBack(s)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before = s.conn
	s.conn, s.epoch, s.greeted = c, t.epoch, false
	return s, before
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

var errStreamName = errors.New("hub: the client's stream has no usable name")

// streamID returns what names the connection's stream: a claim of its token, or, for a client without one, a part of
// its request; "" when there is neither. It fails when there should be a name.
func (c *Conn) streamID() (string, error) {
	id := c.Subject()
	if claim := c.hub.cfg.StreamClaim; claim != "" && id != "" {
		if id, _ = c.Claims()[claim].(string); id == "" {
			return "", errStreamName
		}
	}
	if c.Subject() == "" {
		kind, name, _ := strings.Cut(c.hub.cfg.StreamLookup, ":")
		switch kind {
		case "param":
			id = c.Params(name)
		case "query":
			id = c.Query(name)
		case "header":
			id = c.Header(name)
		}
		if id != "" {
			id = "?" + id
		}
	} else if id[0] == '?' {
		return "", errStreamName
	}
	if len(id) > maxStreamID || !utf8.ValidString(id) {
		return "", errStreamName
	}
	return id, nil
}

// acknowledges reports whether the client is told what becomes of its messages.
func (c *Conn) acknowledges() bool {
	return c.hub.cfg.Ack != AckNone && c.req.Refusal == nil && (c.hub.cfg.AckAlways || c.Subprotocol() == AckProtocol)
}

// attach gives the connection its stream, and takes that over from the connection before, whose messages are settled
// first. It sends the hello. When the connection ends meanwhile, or the stored position cannot be read, nothing that it
// sends counts.
func (c *Conn) attach() {
	if c.closing() || c.hub.Draining() {
		return
	}
	id, err := c.streamID()
	if err != nil {
		c.report(err)
		_ = c.Close(ws.StatusPolicyViolation, "no usable name of the stream")
		return
	}
	s, before := c.hub.streams.take(c, id)
	c.stream.Store(s)
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

// resume reports whether the numbers go on, because this process knows the stream, or the store does. The store is
// asked even of a stream that is known: the client may have been with another server meanwhile.
func (s *stream) resume(c *Conn) (resumed bool, err error) {
	s.mu.Lock()
	known := s.known
	s.mu.Unlock()
	if c.hub.cfg.Ack != AckResume || !s.kept {
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
		return known, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == c && number >= s.next { // less: numbers above it were refused, which the store does not know
		s.next = number + 1
		s.settled.Store(number)
	}
	return true, nil
}

// greet sends the hello, from which on messages count and acks are sent. In front of it go the nacks that the client
// may not have got over earlier connections: once it has the hello, it forgets the messages that they are about.
func (s *stream) greet(c *Conn, resumed bool) {
	if !s.sendHello(c, resumed) {
		_ = c.Close(ws.StatusTryAgainLater, "no room for the hello")
	}
}

func (s *stream) sendHello(c *Conn, resumed bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c {
		return true
	}
	s.told = 0
	frames := s.untoldLocked()
	s.told, s.again = len(s.nacks), len(s.nacks)
	s.greeted, s.known = true, true
	s.acked = s.settled.Load()
	c.sending = sending{next: s.next, bytes: s.bytes, greeted: true}
	frames = wire.AppendNote(frames, hello{
		WSX: "hello", Stream: s.id, Epoch: s.epoch, Resumed: resumed, Next: s.next,
		Window: c.hub.cfg.MaxUnsettled, WindowBytes: c.hub.cfg.MaxUnsettledBytes,
	}.payload())
	return c.wire.Notes(frames)
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
