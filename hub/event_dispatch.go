package hub

import (
	"errors"

	"github.com/fiberwsx/wsx/ws"
)

// handle hands a message to its handler: OnMessage, or that of its event.
func (c *Conn) handle(m Message) {
	switch t := &c.hub.typed; {
	case t.routes != nil:
		c.handleEvent(m)
	case t.handle != nil:
		c.settle(c.guard("OnMessage", func() error { return t.handle(c, Event{Message: m}) }))
	default:
		c.settle(c.guard("OnMessage", func() error { return c.hub.cfg.OnMessage(c, m) }))
	}
}

func (c *Conn) handleEvent(m Message) {
	e, refusal := c.eventOf(m)
	switch {
	case refusal != nil:
		c.hub.count.invalid.Add(1)
		c.complain(e.envelope.ID, *refusal)
	case e.route != nil:
		err := c.guard(e.route.callback, func() error { return c.hub.typed.handle(c, e) })
		if err != nil {
			c.answerError(e, err)
			return
		}
		c.settle(nil)
	}
}

// eventOf is findEvent. Codecs that are not wsx's may crash, which ends the connection and nothing else.
func (c *Conn) eventOf(m Message) (e Event, refusal *EventError) {
	if len(c.hub.cfg.Codecs) == 0 {
		return c.findEvent(m)
	}
	refusal = &errMalformed // unless the codec returns
	_ = c.guard("Codec", func() error {
		e, refusal = c.findEvent(m)
		return nil
	})
	return e, refusal
}

// findEvent finds out which event a message is. Without a refusal and without a route it was an answer, which is taken.
func (c *Conn) findEvent(m Message) (e Event, refusal *EventError) {
	e.Message, e.codec = m, c.codec()
	if (m.Type == ws.Binary) != e.codec.Binary() {
		return e, &errWrongKind
	}
	var err error
	if e.envelope, err = e.codec.Open(m.Data); err != nil {
		return e, &errMalformed
	}
	r := c.hub.typed.find(e.envelope.Type)
	if r == nil {
		return e, c.unrouted(&e)
	}
	e.Name, e.route = r.name, r
	if r.replies && e.envelope.ID == nil {
		return e, &errNoID
	}
	return e, nil
}

// unrouted takes an answer, or refuses what has no handler.
func (c *Conn) unrouted(e *Event) (refusal *EventError) {
	if c.hub.typed.batched != nil { // which asks nobody
		return &errUnknown
	}
	switch string(e.envelope.Type) {
	case replyType, errorType: // no error is answered with another one
		c.take(e)
		return nil
	default:
		return &errUnknown
	}
}

// answerError tells the client what it is to know of an error, and draws the conclusion from it as ever.
func (c *Conn) answerError(e Event, err error) {
	var told EventError
	switch answered := errors.As(err, &told); {
	case answered && e.route.replies:
		c.tell(e.envelope.ID, told)
	case answered:
		c.complain(e.envelope.ID, told)
	case e.route.replies:
		c.tell(e.envelope.ID, errInternal)
		c.settle(err)
	default:
		c.settle(err)
	}
}
