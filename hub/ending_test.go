package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// waitings are ways to learn in a handler how a connection has ended, and whether they send it something before.
var waitings = map[string]struct {
	sends bool
	wait  func(*hub.Conn) error
}{
	"Request":                  {true, func(c *hub.Conn) error { return c.Request(context.Background(), "count", nil, nil) }},
	"Request, and its context": {true, func(c *hub.Conn) error { return c.Request(c.Context(), "count", nil, nil) }},
	"Context": {false, func(c *hub.Conn) error {
		<-c.Context().Done()
		return fmt.Errorf("waiting: %w", context.Cause(c.Context()))
	}},
}

// TestHowAnotherHasEnded closes nobody: a handler that returns it has failed, and its own connection goes on.
func TestHowAnotherHasEnded(t *testing.T) {
	for name, row := range waitings {
		t.Run(name, func(t *testing.T) {
			var reported list[error]
			var other *hub.Conn
			entered := make(chan struct{})
			h := newHub(t, hub.Config{OnError: func(_ *hub.Conn, err error) { reported.add(err) }})
			hub.On(h, "wait", func(*hub.Conn, struct{}) error {
				close(entered)
				return row.wait(other)
			})
			hub.On(h, "say", said)
			s, o := connect(t, h), connect(t, h)
			other = o.handle
			s.SendText(`{"type":"wait"}`)
			await(t, entered, "the handler")
			if row.sends {
				o.ReadText()
			}
			o.SendClose(ws.StatusAuthFailed, "any words")
			want(t, "and on", s.exchange(`{"type":"say","text":"x"}`), `{"type":"said","room":"","text":"x"}`)
			want(t, "reported", len(reported.all()), 1)
			want(t, "how it ended", ws.StatusOf(reported.all()[0]), ws.StatusAuthFailed)
			_ = o.Conn().Close()
		})
	}
}

// TestHowTheOwnHasEnded is neither reported nor counted.
func TestHowTheOwnHasEnded(t *testing.T) {
	for name, row := range waitings {
		t.Run(name, func(t *testing.T) {
			var reported list[error]
			entered, returned := make(chan struct{}), make(chan error, 1)
			h := newHub(t, hub.Config{OnError: func(_ *hub.Conn, err error) { reported.add(err) }})
			hub.On(h, "wait", func(c *hub.Conn, _ struct{}) error {
				close(entered)
				err := row.wait(c)
				returned <- err
				return err
			})
			s := connect(t, h)
			s.SendText(`{"type":"wait"}`)
			await(t, entered, "the handler")
			if row.sends {
				s.ReadText()
			}
			s.swallow()
			must(t, s.handle.Close(ws.StatusKicked, "go"))
			want(t, "how it ended", ws.StatusOf(await(t, returned, "the handler")), ws.StatusKicked)
			_ = s.Conn().Close()
			s.gone()
			want(t, "reported", len(reported.all()), 0)
		})
	}
}

// TestRepliesStayInside: the error of a reply that does not fit says nothing of what it holds.
func TestRepliesStayInside(t *testing.T) {
	h := newHub(t, hub.Config{})
	hub.On(h, "say", said)
	s := connect(t, h)
	for id, data := range []string{`4111111111111111`, `"` + marker + `"`} {
		done := make(chan error, 1)
		go func() {
			var reply int8
			done <- s.handle.Request(t.Context(), "count", nil, &reply)
		}()
		s.ReadText()
		s.SendText(fmt.Sprintf(`{"type":"reply","id":%d,"data":%s}`, id+1, data))
		err := await(t, done, "the reply")
		if !errors.As(err, new(*json.UnmarshalTypeError)) {
			t.Errorf("%s: got %v, want one of encoding/json", data, err)
		}
		if err != nil && (strings.Contains(err.Error(), "4111") || strings.Contains(err.Error(), marker)) {
			t.Errorf("%s: %v", data, err)
		}
	}
}

// TestLostBatchesAreQuoted: what a shutdown could not finish is in the log with the handler's words, which may be a
// client's.
func TestLostBatchesAreQuoted(t *testing.T) {
	var values list[string]
	h := newHub(t, hub.Config{
		Logger: slog.New(plain{Handler: new(logbook).logger().Handler(), lines: &values}),
		Batch:  batch.Config{MaxItems: 100, MaxAge: time.Hour, Attempts: 1},
		OnBatch: func(context.Context, *hub.Batch) error {
			return fmt.Errorf("%w: no\nlevel=ERROR%s", batch.ErrUnavailable, strings.Repeat("!", 1000))
		},
	})
	s := connect(t, h)
	s.SendText("x")
	s.sync()
	s.live()
	if err := h.Shutdown(t.Context()); err == nil {
		t.Errorf("the shutdown lost nothing: %q", values.all())
	}
	found := false
	for _, v := range values.all() {
		found = found || strings.Contains(v, "level=ERROR!")
		if strings.Contains(v, "\n") || len(v) > 300 {
			t.Errorf("not quoted: %.400q", v)
		}
	}
	if !found {
		t.Errorf("the error is not in the log: %q", values.all())
	}
}
