package hub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// marker is in every payload and panic of these tests that nobody else may see.
const marker = "s3cr3t"

// logged is where everything goes that the tests of this package log. A marker in it fails the run.
var logged sink

// sink looks for markers in the lines that it gets.
type sink struct {
	mu    sync.Mutex
	found []string
}

func (s *sink) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(marker)) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.found = append(s.found, string(p))
	}
	return len(p), nil
}

// logger returns a logger whose lines go to w, and are looked at.
func (s *sink) logger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(io.MultiWriter(s, w), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// watched is a run of tests that fails when a secret was logged.
type watched struct{ *testing.M }

func (m watched) Run() int {
	slog.SetDefault(logged.logger(io.Discard))
	if code := m.M.Run(); code != 0 {
		return code
	}
	for _, line := range logged.found {
		fmt.Fprintf(os.Stderr, "a secret is in the log: %s", line)
	}
	return min(1, len(logged.found))
}

func TestTheSinkSees(t *testing.T) {
	var s sink
	log := s.logger(io.Discard)
	log.Info("clean", "a", "b")
	want(t, "lines found", len(s.found), 0)
	log.Debug("a message", "error", fmt.Errorf("a: %w", errors.New("\n"+marker)))
	want(t, "lines found", len(s.found), 1)
}

// TestPayloadsStayInside has peers send a secret where it is refused, handlers give it away in every way that is not
// meant for the peer, and looks for it in the log, the figures and the close frame.
func TestPayloadsStayInside(t *testing.T) {
	frame := func(fin bool, op wire.Opcode, payload string) func(*session) {
		return func(s *session) { _ = s.Frame(fin, op, []byte(payload)) }
	}
	hello := frame(true, wire.OpText, marker)
	for name, row := range map[string]struct {
		cfg hub.Config
		act func(*session)
	}{
		"not UTF-8":                {hub.Config{}, frame(true, wire.OpText, marker+"\xff")},
		"not UTF-8, in a fragment": {hub.Config{}, frame(false, wire.OpText, marker+"\xff")},
		"too long":                 {hub.Config{MaxMessage: 3}, hello},
		"too many fragments": {hub.Config{MaxFragments: 1}, func(s *session) {
			frame(false, wire.OpText, marker)(s)
			frame(false, wire.OpContinuation, marker)(s)
		}},
		"out of place":          {hub.Config{}, frame(true, wire.OpContinuation, marker)},
		"a reserved opcode":     {hub.Config{}, frame(true, 5, marker)},
		"a long ping":           {hub.Config{}, frame(true, wire.OpPing, strings.Repeat(marker, 30))},
		"too many pings":        {hub.Config{ControlRate: 1}, func(s *session) { frame(true, wire.OpPong, marker)(s); frame(true, wire.OpPong, marker)(s) }},
		"a bad close reason":    {hub.Config{}, frame(true, wire.OpClose, "\x03\xe8"+marker+"\xff")},
		"over the rate":         {hub.Config{Burst: 1, OverRate: hub.CloseOver}, func(s *session) { hello(s); hello(s) }},
		"a status of no frame":  {hub.Config{OnMessage: closeWith(ws.StatusAbnormalClosure)}, hello},
		"a status of nobody":    {hub.Config{OnMessage: closeWith(999)}, hello},
		"a panic":               {hub.Config{OnMessage: func(_ *hub.Conn, m hub.Message) error { panic(m.Text()) }}, hello},
		"a panic with an error": {hub.Config{OnMessage: func(_ *hub.Conn, m hub.Message) error { panic(errors.New(m.Text())) }}, hello},
		"a panic in OnConn": {hub.Config{OnConn: func(c *hub.Conn) error {
			m, _ := c.Receive(t.Context())
			panic(m.Text())
		}}, hello},
		"an end in a message": {hub.Config{}, func(s *session) { frame(false, wire.OpText, marker)(s); _ = s.Conn().Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			var book logbook
			row.cfg.Logger = book.logger()
			if row.cfg.OnMessage == nil && row.cfg.OnConn == nil {
				row.cfg.OnMessage = nothing
			}
			h := newHub(t, row.cfg)
			s := connect(t, h)
			row.act(s)
			said := ""
			for {
				f, err := s.ReadFrame()
				if err != nil {
					break
				}
				said += string(f.Payload)
				if f.Op == wire.OpClose {
					break
				}
			}
			_ = s.Conn().Close()
			s.gone()
			for where, text := range map[string]string{
				"log": book.String(), "close frame": said, "stats": fmt.Sprintf("%+v", h.Stats()), "error of Serve": fmt.Sprint(s.err),
			} {
				if strings.Contains(text, marker) {
					t.Errorf("in the %s: %s", where, text)
				}
			}
		})
	}
}

// closeWith returns an OnMessage that closes with a status that may not be sent.
func closeWith(status ws.Status) func(*hub.Conn, hub.Message) error {
	return func(_ *hub.Conn, m hub.Message) error { return ws.CloseError{Status: status, Reason: m.Text()} }
}

// TestBatchesKeepPayloadsInside has a batch handler panic with what it got, until it is given up.
func TestBatchesKeepPayloadsInside(t *testing.T) {
	var book logbook
	h := newHub(t, hub.Config{
		Logger: book.logger(), Batch: batch.Config{MaxItems: 1, Attempts: 2, Backoff: time.Microsecond},
		OnBatch: func(_ context.Context, b *hub.Batch) error {
			for _, it := range b.All() {
				panic(it.Message.Text())
			}
			return nil
		},
		OnError: func(*hub.Conn, error) { panic(marker) },
	})
	s := connect(t, h)
	s.SendText(marker)
	s.sync()
	_ = s.Conn().Close()
	s.gone()
	err := h.Shutdown(t.Context())
	seen := book.String() + fmt.Sprint(err) + fmt.Sprintf("%+v", h.Stats())
	if strings.Contains(seen, marker) || !strings.Contains(seen, "websocket messages rejected") {
		t.Errorf("got %s", seen)
	}
	want(t, "panics", h.Stats().Panics, 1) // OnError's
}

// TestWhatClientsChoseIsQuotedAndCut looks at every value that is logged of a connection whose client chose all that it
// can: a value has no control character, however the handler writes it, and no more than 256 bytes of the client's.
func TestWhatClientsChoseIsQuotedAndCut(t *testing.T) {
	const longest = 256
	hostile := "\x1b[2J\nlevel=ERROR " + strings.Repeat("\xf0\x9f\x98\x80", 1000)
	for name, act := range map[string]func(*session){
		"closes":     func(s *session) { s.SendClose(ws.StatusNormalClosure, hostile[:120]) },
		"fails":      func(s *session) { s.SendText("fail"); _ = s.Conn().Close() },
		"crashes":    func(s *session) { s.SendText("panic") },
		"violates":   func(s *session) { _ = s.Raw([]byte{0xff, 0xff}) },
		"hangs up":   func(s *session) { _ = s.Conn().Close() },
		"is refused": func(s *session) { s.SendText("refuse") },
	} {
		t.Run(name, func(t *testing.T) {
			var values list[string]
			h := newHub(t, hub.Config{
				Logger: slog.New(plain{Handler: new(logbook).logger().Handler(), lines: &values}),
				OnMessage: func(_ *hub.Conn, m hub.Message) error {
					switch m.Text() {
					case "panic":
						panic(hostile)
					case "refuse":
						return ws.CloseError{Status: ws.StatusPolicyViolation, Reason: hostile}
					}
					return errors.New("no")
				},
			})
			s := connect(t, h, hub.Request{IP: hostile, Subprotocol: hostile, Identity: auth.Identity{Subject: hostile, ID: hostile}})
			s.swallow()
			act(s)
			if name != "hangs up" {
				_ = s.Conn().Close()
			}
			s.gone()
			if len(values.all()) < 4 {
				t.Fatalf("only %d values were logged", len(values.all()))
			}
			for _, v := range values.all() {
				if strings.HasPrefix(v, "goroutine ") {
					continue // a stack, of our own making
				}
				if strings.ContainsAny(v, "\x1b\n") {
					t.Errorf("not quoted: %.100q", v)
				}
				if n := strings.Count(v, "\xf0\x9f\x98\x80"); 4*n > longest {
					t.Errorf("%d bytes of the client's: %.100q", 4*n, v)
				}
			}
		})
	}
}
