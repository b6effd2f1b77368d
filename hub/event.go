package hub

import (
	"reflect"
	"slices"
	"strconv"

	"github.com/fiberwsx/wsx/codec"
)

// On has handle called for each message that names the event, decoded into a T:
//
//	hub.On(h, "say", func(c *hub.Conn, p post) error { return c.To(p.Room).Emit("said", p) })
//
// A client sends {"type":"say","room":"lobby","text":"hello"}. When T is a struct or a map, the message itself is
// decoded into it; every other T is what stands in "data", see [codec.Beside]. When T or *T has a method Validate()
// error, what that refuses does not reach handle.
//
// Whatever is no known event, does not fit T, or is not valid is answered with
//
//	{"type":"error","code":"unknown_type","message":"…"}
//
// and the codes [CodeUnknownType] and [CodeInvalid], besides the "id" of the message if it had one; at most 10 times a
// second, and then counted only. The answer holds nothing of what was sent but the id. An [EventError] that handle
// returns is answered in the same way; every other error means what it means from [Config.OnMessage], and the client is
// not told.
//
// A hub with events has no OnMessage, OnBatch or OnConn. On panics beside one, for a name that is empty, taken, "reply"
// or "error", for a nil handler, and once the hub has had a connection. It costs nothing a message but the decoding.
func On[T any](h *Hub, event string, handle func(c *Conn, p T) error) {
	if handle == nil {
		panic("hub: On needs a handler: hub.On(h, " + strconv.Quote(event) + ", func(c *hub.Conn, p T) error { … })")
	}
	form := formOf[T]()
	h.typed.add(h, "On", &route{name: event, handle: func(c *Conn, e Event) error {
		p, err := decode[T](&e, form, codec.Type)
		if err != nil {
			c.hub.count.invalid.Add(1)
			return err
		}
		return handle(c, p)
	}})
}

// Event is a message on its way to its handler.
type Event struct {
	// Name is that of the event; "" with OnMessage.
	Name string
	// Message is the whole message, valid until the handler returns, and to be read only.
	Message Message

	codec    codec.Codec
	envelope codec.Envelope
	route    *route
}

// route is what a hub does with an event.
type route struct {
	name     string
	callback string // as a PanicError names it
	replies  bool   // the client waits for an answer
	handle   Handler
}

// typed is what a hub knows of events. It does not change any more once there is a connection, and is read without a
// lock.
type typed struct {
	routes  map[string]*route // nil without events
	batched *route            // the one event, with OnBatch
	layers  []func(Handler) Handler
	handle  Handler // behind all layers; nil when there is neither a layer nor an event
	frozen  bool    // under Hub.mu
}

// The types of answers, which no event can have.
const (
	replyType = "reply"
	errorType = "error"
)

// add registers a route.
func (t *typed) add(h *Hub, by string, r *route) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t.checkLocked(h, by)
	r.check(by)
	switch _, taken := t.routes[r.name]; {
	case h.cfg.OnMessage != nil:
		panic("hub: " + by + " beside Config.OnMessage, which gets every message: leave that out, or make two hubs")
	case h.given.Ack != AckNone || h.given.DeadLetter != nil:
		panic("hub: " + by + " with Config.Ack or DeadLetter, which are for batches: leave them out, or call OnBatch")
	case taken:
		panic("hub: " + by + " for " + strconv.Quote(r.name) + ", which has a handler already")
	case t.routes == nil:
		t.routes = make(map[string]*route)
	}
	t.routes[r.name] = r
	t.composeLocked(h)
}

// check panics when no event can have the name of r.
func (r *route) check(by string) {
	switch r.name {
	case "":
		panic("hub: " + by + " needs the name of an event, which is the message's \"type\"")
	case replyType, errorType:
		panic("hub: " + by + " for " + strconv.Quote(r.name) + ", which is an answer to Conn.Request: give the event another name")
	}
	r.callback = by + " " + strconv.Quote(r.name)
}

// find returns what is done with the event of that name, or nil.
func (t *typed) find(name []byte) *route {
	if b := t.batched; b != nil {
		if string(name) != b.name {
			return nil
		}
		return b
	}
	return t.routes[string(name)]
}

// checkLocked panics where no handler of single messages can be.
func (t *typed) checkLocked(h *Hub, by string) {
	switch {
	case t.frozen:
		panic("hub: " + by + " after the first connection: call it right behind hub.New")
	case h.cfg.OnBatch != nil || h.cfg.OnConn != nil:
		panic("hub: " + by + " beside OnBatch or OnConn, which get every message: make two hubs")
	}
}

// composeLocked puts the layers around the handlers, the first one outermost.
func (t *typed) composeLocked(h *Hub) {
	t.handle = func(c *Conn, e Event) error { return e.route.handle(c, e) }
	if onMessage := h.cfg.OnMessage; onMessage != nil {
		t.handle = func(c *Conn, e Event) error { return onMessage(c, e.Message) }
	}
	for _, layer := range slices.Backward(t.layers) {
		t.handle = layer(t.handle)
	}
}

// form is how a type is decoded.
type form struct {
	beside bool // its fields stand beside the type
	isMap  bool // for which the envelope's members are no values
}

func formOf[T any]() form {
	t := reflect.TypeFor[T]()
	f := form{beside: codec.Beside(t)}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	f.isMap = t.Kind() == reflect.Map
	return f
}

// validator is a type that says which of its values are valid.
type validator interface{ Validate() error }

// decode returns the body of an event; its error is an EventError. What a map is not to get are the members of the
// envelope.
func decode[T any](e *Event, f form, envelope ...string) (p T, err error) {
	body := e.envelope.Data
	switch {
	case f.beside && f.isMap:
		body = e.codec.Without(e.Message.Data, envelope...)
	case f.beside:
		body = e.Message.Data
	case body == nil:
		return p, errNoData
	}
	if e.codec.Decode(body, &p) != nil {
		return p, errInvalid
	}
	return p, valid(&p)
}

// valid asks the value itself. Its methods may stand on the value, which the pointer has too, or on what T points to.
func valid[T any](p *T) error {
	v, ok := any(p).(validator)
	if !ok {
		if reflect.TypeFor[T]().Kind() != reflect.Pointer {
			return nil
		}
		if v, ok = any(*p).(validator); !ok {
			return nil
		}
		if reflect.ValueOf(*p).IsNil() {
			return errInvalid
		}
	}
	if err := v.Validate(); err != nil {
		return *refused(err)
	}
	return nil
}
