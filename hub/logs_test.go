package hub_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

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
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
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
	const payload = "payload-secret"
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
	const secret = "panic-secret"
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
			s.SendText("payload-secret")
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
			if strings.Contains(seen, "-secret") {
				t.Errorf("the secret got out: %s", seen)
			}
			if !strings.Contains(seen, "panic in OnMessage") {
				t.Errorf("nobody was told: %s", seen)
			}
		})
	}
}

// TestLogsQuoteTheClient checks that what a client chose is quoted and cut.
func TestLogsQuoteTheClient(t *testing.T) {
	var book logbook
	h := newHub(t, hub.Config{Logger: book.logger(), OnMessage: nothing})
	s := connectAs(t, h, "eve\nlevel=ERROR "+strings.Repeat("x", 1000))
	go s.SendClose(ws.StatusNormalClosure, "bye\nlevel=ERROR")
	s.wantClose(ws.StatusNormalClosure)
	s.gone()
	for line := range strings.Lines(book.String()) {
		if strings.HasPrefix(line, "level=ERROR") {
			t.Errorf("a line of the client's: %q", line)
		}
	}
	if strings.Contains(book.String(), strings.Repeat("x", 300)) {
		t.Error("the subject is not cut")
	}
}
