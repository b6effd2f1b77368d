package hub

import (
	"errors"

	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/ratelimit"
)

// The codes that clients are told by the hub itself, besides "rate_limited" of [Notify].
const (
	// CodeUnknownType means that no event has the name.
	CodeUnknownType = "unknown_type"
	// CodeInvalid means that the message is no event, or that its body does not fit.
	CodeInvalid = "invalid"
	// CodeInternal means that the handler of a request has failed.
	CodeInternal = "internal"
)

// EventError is an error that the peer is told as {"type":"error","code":"…","message":"…"}. A handler of [On] or
// [Reply] returns it, alone or in another error, and so may Validate; it counts as no failure then, is not logged, and
// closes nothing. [Conn.Request] returns what a client has answered with.
type EventError struct {
	// Code is for programs, Message for people; both go out as they are.
	Code    string `json:"code" msgpack:"code"`
	Message string `json:"message,omitempty" msgpack:"message,omitempty"`
}

// Error returns code and message.
func (e EventError) Error() string {
	if e.Message == "" {
		return "hub: event error " + e.Code
	}
	return "hub: event error " + e.Code + ": " + e.Message
}

// What the hub answers by itself. The texts hold nothing of the message.
var (
	errMalformed = EventError{CodeInvalid, `not an object with a "type"`}
	errWrongKind = EventError{CodeInvalid, "a text message where a binary one is expected, or the other way round"}
	errUnknown   = EventError{CodeUnknownType, "no event has this type"}
	errInvalid   = EventError{CodeInvalid, "the body does not fit the type"}
	errNoData    = EventError{CodeInvalid, `the body belongs into "data"`}
	errNoID      = EventError{CodeInvalid, `a request needs an "id": a number, or a string of at most 62 bytes`}
	errInternal  = EventError{CodeInternal, "internal error"}
)

// refused is what a client learns of an error of Validate: what that says only if it is meant for clients.
func refused(err error) *EventError {
	told := new(EventError)
	if errors.As(err, told) {
		return told
	}
	return &errInvalid
}

// answers is how many messages a second a client is told are wrong; of the others it learns nothing.
var answers = ratelimit.Rate{PerSecond: 10, Burst: 10}

// complain tells the client that a message was not taken, unless it is told too often. It is for the goroutine that
// reads.
func (c *Conn) complain(id []byte, err EventError) {
	if c.complaints == nil {
		c.complaints = new(ratelimit.Bucket)
	}
	if c.complaints.Allow(c.wire.ReadAt(), answers) {
		c.tell(id, err)
	}
}

// tell sends an error.
func (c *Conn) tell(id []byte, err EventError) {
	_ = c.emit(codec.Header{Type: errorType, ID: id}, err)
}
