package hub_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/hub"
)

// TestAHandlersErrorIsCapped: it may hold what a client has sent, which is short and on one line in the log.
func TestAHandlersErrorIsCapped(t *testing.T) {
	var book logbook
	s := connect(t, newHub(t, hub.Config{
		Logger:    book.logger(),
		OnMessage: func(_ *hub.Conn, m hub.Message) error { return errors.New("no number: " + m.Text()) },
	}))
	s.SendText(strings.Repeat("x", 10_000) + "\n")
	s.Close()
	s.gone()
	book.wantAtMost(t, slog.LevelWarn)
	for line := range strings.Lines(book.String()) {
		if len(line) > 600 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	if !strings.Contains(book.String(), "no number: xxx") {
		t.Errorf("the error is not in the log: %s", book.String())
	}
}
