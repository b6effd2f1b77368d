package hub

import (
	"strconv"

	"github.com/fiberwsx/wsx/codec"
)

// Reply is [On] for events that are requests: the client gets what handle returns, under the id that it has sent.
//
//	hub.Reply(h, "history", func(c *hub.Conn, q query) ([]post, error) { return store.Last(c.Context(), q.Room, 50) })
//
// To {"type":"history","id":7,"room":"lobby"} the answer is {"type":"reply","id":7,"data":[…]}, whatever R is. An id is
// a number or a string, [codec.MaxID] bytes long at most; a request without one is refused with [CodeInvalid]. A struct
// T may have the id as a field of its own.
//
// When handle returns an error the answer is {"type":"error","id":7,"code":"…","message":"…"}: what an [EventError]
// says, and [CodeInternal] without any of its text for every other one, which means besides what it means from
// [Config.OnMessage]. A request over the rate of its connection has no answer, nor has one whose handler panics:
// clients need a timeout. Requests of one connection are answered in order, because they are handled so.
func Reply[T, R any](h *Hub, event string, handle func(c *Conn, request T) (R, error)) {
	if handle == nil {
		panic("hub: Reply needs a handler: hub.Reply(h, " + strconv.Quote(event) + ", func(c *hub.Conn, p T) (R, error) { … })")
	}
	form := formOf[T]()
	h.typed.add(h, "Reply", &route{name: event, replies: true, handle: func(c *Conn, e Event) error {
		request, err := decode[T](&e, form, codec.Type, codec.ID)
		if err != nil {
			c.hub.count.invalid.Add(1)
			return err
		}
		answer, err := handle(c, request)
		if err != nil {
			return err
		}
		return c.emit(codec.Header{Type: replyType, ID: e.envelope.ID, InData: true}, answer)
	}})
}
