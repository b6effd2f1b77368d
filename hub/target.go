package hub

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

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
	where  []func(*Conn) bool // all have to agree
	member *Conn              // has to be in the scope to send there
	one    *Conn              // nobody else
	policy Policy
	tally  *Tally // nil: nobody counts
}

// To returns the members of one or more rooms; a member of several gets one copy.
func (h *Hub) To(names ...string) Target {
	t := h.All()
	t.none = len(names) == 0
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
func (h *Hub) All() Target { return Target{hub: h, policy: h.cfg.Policy} }

// User returns every connection of a subject. Messages reach a connection from the moment its OnOpen has returned.
func (h *Hub) User(name string) Target {
	t := h.All()
	t.scope = scope{kind: subject, name: name}
	return t
}

// Target returns c as a target, for what only a target has, as [Target.With]. Sending to it is sending to c, with the
// errors of [Conn.Send].
func (c *Conn) Target() Target {
	t := c.hub.All()
	t.one = c
	return t
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

// Where returns t without the connections for which keep is false. It is asked where the message is sent, and may call
// every method of the connection. A target with it costs a look at each connection. It panics when keep is nil.
func (t Target) Where(keep func(*Conn) bool) Target {
	if keep == nil {
		panic("hub: Where needs a function: t.Where(func(c *hub.Conn) bool { … })")
	}
	t.where = append(slices.Clip(t.where), keep)
	return t
}

// wants reports whether t is for c, a member.
func (t Target) wants(c *Conn) bool {
	return !slices.Contains(t.except, c) && !slices.ContainsFunc(t.where, func(keep func(*Conn) bool) bool { return !keep(c) })
}

// Send sends a message; it does not keep m.Data. It returns when the message stands in line for every receiver, and
// what is sent to one of them afterwards comes behind it. A receiver whose outbox is full is waited for, 50 ms at most
// from when it filled up until it has room; one that is too slow even so is closed with [ws.StatusSlowConsumer], see
// Config.OutboxBytes. With another [Policy] than Close nobody is waited for. Errors: [ErrNotMember], [ErrDraining] when
// the hub's shutdown has begun to close connections, [ErrMessageType], [ErrInvalidUTF8].
func (t Target) Send(m Message) error {
	if err := t.check(); err != nil {
		return err
	}
	if err := wire.CheckMessage(m.Type, m.Data); err != nil {
		return err
	}
	if t.one != nil {
		return t.sendOne(m)
	}
	t.deliver(letter{Message: m})
	return nil
}

func (t Target) sendOne(m Message) error {
	if !t.wants(t.one) {
		return nil
	}
	mark := t.mark()
	err := t.one.send(m, mark)
	if t.tally != nil {
		t.tally.add(mark.Tally)
	}
	return err
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

// Close closes every connection that the target has at the time of the call, with a status as [ws.StatusKicked]; see
// [Conn.Close]. Many are closed in waves of 64 with a pause after each, at random and 10 ms at most, so that their
// clients do not all come back at once: 10,000 take about a second, and Close returns when all are told. Errors:
// [ErrNotMember], [ErrDraining], and [ErrStatus] when the status may not be sent, and nothing was closed.
func (t Target) Close(status ws.Status, reason string) error {
	if err := t.check(); err != nil {
		return err
	}
	if !status.Sendable() {
		return fmt.Errorf("%w: %d", ErrStatus, status)
	}
	for i, c := range t.conns() {
		if i > 0 && i%wave == 0 {
			t.hub.rest(rand.N(waveGap))
		}
		_ = c.Close(status, reason)
	}
	return nil
}

// rest waits, unless a shutdown begins.
func (h *Hub) rest(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-h.draining:
	}
}

// conns returns whom the target has now, each once.
func (t Target) conns() (all []*Conn) {
	if t.one != nil {
		if t.wants(t.one) {
			all = append(all, t.one)
		}
		return all
	}
	seen := make(map[*Conn]struct{})
	for _, s := range t.scopes() {
		for c := range t.hub.members(s) {
			if _, ok := seen[c]; !ok {
				seen[c] = struct{}{}
				if t.wants(c) {
					all = append(all, c)
				}
			}
		}
	}
	return all
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
