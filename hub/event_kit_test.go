package hub_test

import (
	"errors"
	"strings"

	"github.com/fiberwsx/wsx/hub"
)

// post is an event's body.
type post struct {
	Room string `json:"room"`
	From string `json:"from,omitempty"`
	Text string `json:"text"`
}

// Validate lets a text be neither empty nor long.
func (p post) Validate() error {
	switch {
	case p.Text == "":
		return errors.New("empty: " + marker)
	case len(p.Text) > 100:
		return hub.EventError{Code: "too_long", Message: "at most 100 bytes"}
	}
	return nil
}

// said is what a hub of these tests sends on.
func said(c *hub.Conn, p post) error {
	p.From = c.Subject()
	return c.Emit("said", p)
}

// The answers that the hub makes by itself.
const (
	malformed   = `{"type":"error","code":"invalid","message":"not an object with a \"type\""}`
	unknownType = `{"type":"error","code":"unknown_type","message":"no event has this type"}`
	invalidBody = `{"type":"error","code":"invalid","message":"the body does not fit the type"}`
	noData      = `{"type":"error","code":"invalid","message":"the body belongs into \"data\""}`
)

// withID puts an id into an answer.
func withID(answer, id string) string {
	return strings.Replace(answer, `"type":"error"`, `"type":"error","id":`+id, 1)
}

// exchange sends a message, and returns the next one that comes.
func (s *session) exchange(message string) string {
	s.t.Helper()
	s.SendText(message)
	return s.ReadText()
}
