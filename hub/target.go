package hub

import (
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// Target is whom to send to. Its methods return an error only for the sender's own fault: a receiver that is slow or
// gone is none.
//
// A message is encoded and framed once for all receivers. Who they are is fixed when it is sent: who joins later gets
// nothing of it, and who has left before gets nothing either. What one goroutine sends to a connection arrives in that
// order, whether it was sent to the connection or to a target.
type Target struct {
	hub    *Hub
	scopes []scope
	except []*Conn
	member *Conn // has to be in the first scope to send there
}

// To returns the members of one or more rooms; a member of several gets one copy.
func (h *Hub) To(names ...string) Target {
	scopes := make([]scope, len(names))
	for i, name := range names {
		scopes[i] = scope{kind: room, name: name}
	}
	return Target{hub: h, scopes: scopes}
}

// All returns every connection of the hub. Messages reach a connection from the moment its OnOpen has returned.
func (h *Hub) All() Target { return Target{hub: h, scopes: []scope{{}}} }

// User returns every connection of a subject. Messages reach a connection from the moment its OnOpen has returned.
func (h *Hub) User(name string) Target {
	return Target{hub: h, scopes: []scope{{kind: subject, name: name}}}
}

// To returns the members of a room that c itself has joined, c included; otherwise sending fails with [ErrNotMember].
func (c *Conn) To(name string) Target {
	t := c.hub.To(name)
	t.member = c
	return t
}

// Except returns t without these connections.
func (t Target) Except(conns ...*Conn) Target {
	t.except = append(slices.Clip(t.except), conns...)
	return t
}

// Send sends a message; it does not keep m.Data. It waits, at most 50 ms for each receiver whose outbox is full, and
// not at all for one whose socket has taken nothing for that long. Errors: [ErrNotMember], [ErrDraining] when the
// hub's shutdown has begun to close connections, [ErrInvalidUTF8].
func (t Target) Send(m Message) error {
	if err := t.check(); err != nil {
		return err
	}
	if m.Type == ws.Text && !utf8.Valid(m.Data) {
		return ErrInvalidUTF8
	}
	t.deliver(wire.NewFrame(m.Type, m.Data))
	return nil
}

// SendText is [Target.Send] for a text message.
func (t Target) SendText(s string) error { return t.Send(Message{Type: ws.Text, Data: []byte(s)}) }

// SendBinary is [Target.Send] for a binary message.
func (t Target) SendBinary(p []byte) error { return t.Send(Message{Type: ws.Binary, Data: p}) }

// SendJSON sends v as JSON in a text message. Its error is that of [json.Marshal] or of [Target.Send].
func (t Target) SendJSON(v any) error {
	p, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("hub: encoding a message: %w", err)
	}
	return t.Send(Message{Type: ws.Text, Data: p})
}

// Close closes every connection of the target; see [Conn.Close]. Errors: [ErrNotMember], [ErrDraining], and
// [ErrStatus] when the status may not be sent, and nothing was closed.
func (t Target) Close(status ws.Status, reason string) error {
	if err := t.check(); err != nil {
		return err
	}
	if !status.Sendable() {
		return fmt.Errorf("%w: %d", ErrStatus, status)
	}
	for _, s := range t.scopes {
		for c := range t.hub.registry(s).Members(s) {
			if !slices.Contains(t.except, c) {
				_ = c.Close(status, reason)
			}
		}
	}
	return nil
}

func (t Target) check() error {
	if t.hub.closing() {
		return ErrDraining
	}
	if t.member != nil && !t.hub.rooms.Has(t.scopes[0], t.member) {
		return ErrNotMember
	}
	return nil
}

// deliver queues f for every receiver. Those with a full outbox come last, so that they delay nobody.
func (t Target) deliver(f wire.Frame) {
	var full []*Conn
	sent := uint64(0)
	now := t.hub.epoch.Add(1)
	var seen map[*Conn]struct{}
	if len(t.scopes) > 1 {
		seen = make(map[*Conn]struct{})
	}
	for _, s := range t.scopes {
		t.hub.registry(s).Each(s, func(c *Conn) bool {
			if !s.reaches(c) || slices.Contains(t.except, c) || !firstTime(seen, c) {
				return true
			}
			switch ok, err := c.wire.TrySendFrame(f); {
			case ok:
				sent++
			case err == nil:
				full = append(full, c)
			}
			return true
		})
	}
	for _, c := range full {
		if c.sendAsMember(f, t.scopes, now) {
			sent++
		}
	}
	t.hub.count.out.Add(sent)
}

// reaches reports whether c gets what is sent to s. While OnOpen runs it gets only what is sent to rooms it has joined
// there, so that what OnOpen itself sends arrives first.
func (s scope) reaches(c *Conn) bool { return s.kind == room || c.opened.Load() }

// firstTime reports whether c has not been seen, and notes it; seen is nil when nobody can come twice.
func firstTime(seen map[*Conn]struct{}, c *Conn) bool {
	if seen == nil {
		return true
	}
	if _, ok := seen[c]; ok {
		return false
	}
	seen[c] = struct{}{}
	return true
}
