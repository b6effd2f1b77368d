package hub

import (
	"encoding/json"
	"fmt"
	"slices"

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
	scope  scope
	others []scope // that it has besides
	none   bool    // it has not even one
	except []*Conn
	member *Conn // has to be in the scope to send there
}

// To returns the members of one or more rooms; a member of several gets one copy.
func (h *Hub) To(names ...string) Target {
	t := Target{hub: h, none: len(names) == 0}
	for i, name := range names {
		if s := (scope{kind: room, name: name}); i == 0 {
			t.scope = s
		} else {
			t.others = append(t.others, s)
		}
	}
	return t
}

// All returns every connection of the hub. Messages reach a connection from the moment its OnOpen has returned.
func (h *Hub) All() Target { return Target{hub: h} }

// User returns every connection of a subject. Messages reach a connection from the moment its OnOpen has returned.
func (h *Hub) User(name string) Target {
	return Target{hub: h, scope: scope{kind: subject, name: name}}
}

// To returns the members of a room that c itself has joined, c included; otherwise sending fails with [ErrNotMember].
func (c *Conn) To(name string) Target {
	t := c.hub.To(name)
	t.member = c
	return t
}

// Except returns t without these connections. A nil among them, as [Hub.Conn] returns for one that has left, is
// nobody.
func (t Target) Except(conns ...*Conn) Target {
	t.except = slices.Clip(t.except)
	for _, c := range conns {
		if c != nil {
			t.except = append(t.except, c)
		}
	}
	return t
}

// Send sends a message; it does not keep m.Data. It returns when the message stands in line for every receiver, and
// what is sent to one of them afterwards comes behind it. A receiver whose outbox is full is waited for, 50 ms at most
// from when it filled up until it has room; one that is too slow even so is closed with [ws.StatusSlowConsumer], see
// Config.OutboxBytes. Errors: [ErrNotMember], [ErrDraining] when the hub's shutdown has begun to close connections,
// [ErrMessageType], [ErrInvalidUTF8].
func (t Target) Send(m Message) error {
	if err := t.check(); err != nil {
		return err
	}
	if err := wire.CheckMessage(m.Type, m.Data); err != nil {
		return err
	}
	t.deliver(m)
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
	for _, s := range t.scopes() {
		for c := range t.hub.members(s) {
			if !slices.Contains(t.except, c) {
				_ = c.Close(status, reason)
			}
		}
	}
	return nil
}

func (t Target) scopes() []scope {
	if t.none {
		return nil
	}
	return append([]scope{t.scope}, t.others...)
}

func (t Target) check() error {
	if t.hub.closing() {
		return ErrDraining
	}
	if t.member != nil && !t.member.In(t.scope.name) {
		return ErrNotMember
	}
	return nil
}

// deliver appends a message to the logs of the receivers, compressed once for all that share that.
func (t Target) deliver(m Message) {
	var packed *wire.Packed
	defer func() { packed.Free() }()
	compressed := false
	for _, s := range t.hub.shards {
		if t.none || !s.has(t.scope, t.others) {
			continue
		}
		if !compressed {
			packed, compressed = t.hub.engine.Pack(m.Data), true
		}
		if len(t.others) == 0 {
			s.send(t.scope, m, packed, t.except)
		} else {
			s.sendList(t.scopes(), m, packed, func(c *Conn) bool { return !slices.Contains(t.except, c) })
		}
	}
}
