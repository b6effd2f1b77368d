package hub_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// logbook keeps what is logged.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logbook) logger() *slog.Logger {
	return logged.logger(l)
}

// wantAtMost checks that no line is above a level.
func (l *logbook) wantAtMost(t *testing.T, level slog.Level) {
	t.Helper()
	for line := range strings.Lines(l.String()) {
		for _, above := range []slog.Level{slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			if above > level && strings.Contains(line, "level="+above.String()) {
				t.Errorf("above %v: %s", level, line)
			}
		}
	}
}

// TestLogLevels has peers misbehave in all ways: none of that is an error of the server, and a connection that comes
// and goes is no news.
func TestLogLevels(t *testing.T) {
	const payload = "payload-" + marker
	for name, row := range map[string]struct {
		level slog.Level
		act   func(s *session)
	}{
		"clean":           {slog.LevelDebug, func(s *session) { s.SendText(payload); s.SendClose(ws.StatusNormalClosure, "") }},
		"vanishes":        {slog.LevelWarn, func(s *session) { s.SendText(payload); _ = s.Conn().Close() }},
		"protocol error":  {slog.LevelWarn, func(s *session) { _ = s.Raw([]byte{0xff, 0xff}) }},
		"not UTF-8":       {slog.LevelWarn, func(s *session) { _ = s.Frame(true, wireText, []byte(payload+"\xff")) }},
		"too long":        {slog.LevelWarn, func(s *session) { _ = s.Frame(true, wireText, bytes.Repeat([]byte(payload), 100)) }},
		"over the rate":   {slog.LevelWarn, func(s *session) { s.SendText(payload); s.SendText(payload); _ = s.Conn().Close() }},
		"control flood":   {slog.LevelWarn, func(s *session) { _ = s.Frame(true, wirePong, nil); _ = s.Frame(true, wirePong, nil) }},
		"invalid message": {slog.LevelWarn, func(s *session) { s.SendText("fail"); _ = s.Conn().Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			var book logbook
			h := newHub(t, hub.Config{
				Logger: book.logger(), Burst: 1, MaxMessage: 1000, ControlRate: 1,
				OnMessage: func(_ *hub.Conn, m hub.Message) error {
					if m.Text() == "fail" {
						return errors.New("not valid")
					}
					return nil
				},
			})
			s := connect(t, h)
			s.swallow()
			row.act(s)
			if name != "clean" {
				_ = s.Conn().Close()
			}
			s.gone()
			book.wantAtMost(t, row.level)
			if !strings.Contains(book.String(), "websocket opened") || !strings.Contains(book.String(), "websocket closed") {
				t.Errorf("open and close are not in the log: %s", book.String())
			}
			if strings.Contains(book.String(), payload) {
				t.Errorf("the payload is in the log: %s", book.String())
			}
		})
	}
}

// TestPanicTextStaysInside checks that neither the client, nor the log, nor OnError learns what a panic said.
func TestPanicTextStaysInside(t *testing.T) {
	const secret = "panic-" + marker
	for name, report := range map[string]bool{"log": false, "OnError": true} {
		t.Run(name, func(t *testing.T) {
			var book logbook
			var reported list[error]
			cfg := hub.Config{Logger: book.logger(), OnMessage: func(_ *hub.Conn, m hub.Message) error {
				panic(secret + m.Text())
			}}
			if report {
				cfg.OnError = func(_ *hub.Conn, err error) { reported.add(err) }
			}
			s := connect(t, newHub(t, cfg))
			s.SendText("payload-" + marker)
			want(t, "close frame", s.ReadClose(), ws.CloseError{Status: ws.StatusInternalError})
			s.gone()
			seen := book.String()
			for _, err := range reported.all() {
				seen += err.Error()
				var crash *hub.PanicError
				if errors.As(err, &crash) {
					seen += string(crash.Stack)
				}
			}
			if strings.Contains(seen, marker) {
				t.Errorf("the secret got out: %s", seen)
			}
			if !strings.Contains(seen, "panic in OnMessage") {
				t.Errorf("nobody was told: %s", seen)
			}
		})
	}
}

// plain is a log handler that quotes nothing by itself.
type plain struct {
	slog.Handler
	lines *list[string]
}

func (p plain) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		p.lines.add(a.Value.String())
		return true
	})
	return nil
}

// TestLogsQuoteTheClient checks that what a client chose is quoted and cut.
func TestLogsQuoteTheClient(t *testing.T) {
	var values list[string]
	logger := slog.New(plain{Handler: new(logbook).logger().Handler(), lines: &values})
	h := newHub(t, hub.Config{Logger: logger, OnMessage: nothing})
	s := connect(t, h, hub.Request{
		IP:       "192.0.2.1\x1b[2J",
		Identity: auth.Identity{Subject: "eve\nlevel=ERROR " + strings.Repeat("x", 1000)},
	})
	go s.SendClose(ws.StatusNormalClosure, "bye\nlevel=ERROR")
	s.wantClose(ws.StatusNormalClosure)
	s.gone()
	seen := strings.Join(values.all(), " ")
	if strings.ContainsAny(seen, "\n\x1b") {
		t.Errorf("not quoted: %q", seen)
	}
	if !strings.Contains(seen, "bye") || strings.Contains(seen, strings.Repeat("x", 300)) {
		t.Errorf("not cut: %q", seen)
	}
}
