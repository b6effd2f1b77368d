package hub_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// TestExceptNobody: a connection that could not be found leaves nobody out, and hurts nobody.
func TestExceptNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h *hub.Hub
		h = newHub(t, hub.Config{OnMessage: func(c *hub.Conn, m hub.Message) error {
			gone, _ := h.Conn("one that has left")
			if err := h.To("a", "b").Except(gone).Close(ws.StatusKicked, ""); err != nil {
				return err
			}
			if err := h.To("a", "b").Except(gone, c).Send(m); err != nil {
				return err
			}
			return h.All().Except(gone).Send(m)
		}})
		s, other := connect(t, h), connect(t, h)
		s.SendText("x")
		want(t, "own message", s.ReadText(), "x")
		want(t, "other's message", other.ReadText(), "x")
	})
}

// TestMessageType: what is neither text nor binary would be a control frame, or none at all.
func TestMessageType(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: echo})
	s := connect(t, h)
	for _, kind := range []ws.MessageType{0, 3, 8, 9, 10, 0x41, 0x80, 0xff} {
		m := hub.Message{Type: kind, Data: []byte("payload")}
		if err := s.handle.Send(m); !errors.Is(err, hub.ErrMessageType) {
			t.Errorf("type %d, to a connection: got %v, want %v", kind, err, hub.ErrMessageType)
		}
		if err := h.All().Send(m); !errors.Is(err, hub.ErrMessageType) {
			t.Errorf("type %d, to all: got %v, want %v", kind, err, hub.ErrMessageType)
		}
	}
	s.SendText("still works")
	want(t, "echo", s.ReadText(), "still works")
}
