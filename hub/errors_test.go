package hub_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// TestHandlersErrors has a handler return an error: what closes, with which status, and what is reported.
func TestHandlersErrors(t *testing.T) {
	own := ws.CloseError{Status: ws.StatusKicked, Reason: "out"}
	plain := errors.New("plain")
	for _, row := range []struct {
		name     string
		err      error
		closed   ws.CloseError // zero: it stays open
		reported bool
	}{
		{name: "none"},
		{name: "close error", err: own, closed: own},
		{name: "wrapped close error", err: fmt.Errorf("a: %w", fmt.Errorf("b: %w", own)), closed: own},
		{name: "joined close error", err: errors.Join(plain, own), closed: own},
		{name: "close error that may not be sent", err: ws.CloseError{Status: 1006, Reason: "x"},
			closed: ws.CloseError{Status: ws.StatusInternalError}},
		{name: "full room", err: fmt.Errorf("lobby: %w", hub.ErrRoomFull),
			closed: ws.CloseError{Status: ws.StatusRoomFull, Reason: "room full"}},
		{name: "plain", err: plain, reported: true},
		{name: "not a member", err: hub.ErrNotMember, reported: true},
		{name: "another connection's end", err: hub.ErrClosed, reported: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			var reported list[error]
			h := newHub(t, hub.Config{
				OnMessage: func(*hub.Conn, hub.Message) error { return row.err },
				OnError:   func(_ *hub.Conn, err error) { reported.add(err) },
			})
			s := connect(t, h)
			s.SendText("x")
			if row.closed.Status != 0 {
				want(t, "close frame", s.ReadClose(), row.closed)
				s.gone()
			} else {
				s.sync()
				want(t, "state", s.handle.State(), hub.StateOpen)
			}
			if row.reported != (len(reported.all()) == 1) {
				t.Errorf("reported: %v", reported.all())
			}
			if row.reported && !errors.Is(reported.all()[0], row.err) {
				t.Errorf("reported %v, want %v", reported.all()[0], row.err)
			}
		})
	}
}

// TestRoomFullClosesOnlyIfReturned has a handler that copes with the full room.
func TestRoomFullClosesOnlyIfReturned(t *testing.T) {
	h := newHub(t, hub.Config{RoomCapacity: 1, OnMessage: func(c *hub.Conn, m hub.Message) error {
		err := c.Join("lobby")
		if m.Text() == "cope" && errors.Is(err, hub.ErrRoomFull) {
			return c.SendText("full")
		}
		return err
	}})
	a, b := connect(t, h), connect(t, h)
	a.SendText("join")
	a.sync()
	b.SendText("cope")
	want(t, "answer", b.ReadText(), "full")
	b.SendText("join")
	b.wantClose(ws.StatusRoomFull)
	want(t, "members", h.Room("lobby").Len(), 1)
}

// TestErrorBudget counts errors in a row, for each connection by itself.
func TestErrorBudget(t *testing.T) {
	for _, row := range []struct {
		name     string
		budget   int
		messages string // e: an error, s: a success, c: ErrClosed of another connection
		closes   bool
	}{
		{"four", 0, "eeee", false},
		{"five", 0, "eeeee", true},
		{"a success in between", 0, "eeeeseeees", false},
		{"five after a success", 0, "eeeeseeeee", true},
		{"another's ErrClosed counts", 0, "eecee", true},
		{"configured", 2, "ee", true},
		{"off", -1, "eeeeeeeeeeeeeeeeeeee", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			reported := 0
			h := newHub(t, hub.Config{
				ErrorBudget: row.budget,
				OnMessage: func(_ *hub.Conn, m hub.Message) error {
					switch m.Text() {
					case "e":
						return errors.New("x")
					case "c":
						return hub.ErrClosed
					default:
						return nil
					}
				},
				OnError: func(*hub.Conn, error) { reported++ },
			})
			other, s := connect(t, h), connect(t, h)
			expected := 0
			for _, m := range row.messages {
				s.SendText(string(m))
				if m != 's' {
					expected++
				}
			}
			if row.closes {
				s.wantClose(ws.StatusInternalError)
				s.gone()
			} else {
				s.sync()
				want(t, "state", s.handle.State(), hub.StateOpen)
			}
			want(t, "reported", reported, expected)
			want(t, "state of the other", other.handle.State(), hub.StateOpen)
		})
	}
}

// TestErrClosedOfTheOwnConnection is neither reported nor counted.
func TestErrClosedOfTheOwnConnection(t *testing.T) {
	var reported list[error]
	entered, returned := make(chan struct{}), make(chan error, 1)
	h := newHub(t, hub.Config{
		OnMessage: func(c *hub.Conn, m hub.Message) error {
			close(entered)
			<-c.Context().Done()
			err := c.Send(m)
			returned <- err
			return fmt.Errorf("answering: %w", err)
		},
		OnError: func(_ *hub.Conn, err error) { reported.add(err) },
	})
	s := connect(t, h)
	s.SendText("x")
	await(t, entered, "the handler")
	must(t, s.handle.Close(ws.StatusNormalClosure, ""))
	if err := await(t, returned, "the handler"); !errors.Is(err, hub.ErrClosed) {
		t.Errorf("Send: got %v, want ErrClosed", err)
	}
	s.wantClose(ws.StatusNormalClosure)
	s.gone()
	want(t, "reported", len(reported.all()), 0)
}
