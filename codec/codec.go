package codec

import "errors"

// The names of the members that belong to the envelope. No other member of a message may have one of them, in capitals
// or small letters.
const (
	Type = "type"
	ID   = "id"
	Data = "data"
)

const (
	// MaxDepth is how deep objects and arrays of a message may be nested, the message itself included.
	MaxDepth = 32
	// MaxID is the longest id in bytes, as it is encoded. A longer one is none.
	MaxID = 64
)

// The errors of a [Codec].
var (
	// ErrMalformed means that a message is no envelope: not well-formed, deeper than [MaxDepth], not an object, without
	// a type, or with a member of the envelope twice.
	ErrMalformed = errors.New("codec: not a message with a type")
	// ErrOwnType means that a value to be sent has a member of its own that is the envelope's.
	ErrOwnType = errors.New(`codec: the value has a "type" or an "id" of its own`)
	// ErrNoType means that a message to be sent has no type.
	ErrNoType = errors.New("codec: an event needs a name")
)

// Envelope is what is known of a message before its body is decoded. It borrows the message.
type Envelope struct {
	// Type names the event.
	Type []byte
	// ID is a string or a number of at most MaxID bytes as it was encoded, fit for [Header.ID]; nil: there is none.
	ID []byte
	// Data is the encoded member of that name; nil: there is none.
	Data []byte
}

// Header is what a message has beside the fields of its body.
type Header struct {
	// Type names the event. Required.
	Type string
	// ID is encoded already, as in [Envelope]. Optional.
	ID []byte
	// InData has every body travel in "data", whatever [Beside] says of it.
	InData bool
}

// Codec is one encoding of events. Its methods may be called at any time, from any goroutine.
type Codec interface {
	// Subprotocol is what a client asks for the codec with; "" is that of clients which ask for none.
	Subprotocol() string
	// Binary tells binary messages from text ones.
	Binary() bool
	// Open checks a message from end to end and finds its envelope; it decodes nothing else. With ErrMalformed the
	// result has what was found of a well-formed message.
	Open(message []byte) (Envelope, error)
	// AppendID appends a number as [Header.ID] has it.
	AppendID(b []byte, number uint64) []byte
	// Without returns a copy of a message that Open has found well-formed, without the members of these names.
	Without(message []byte, names ...string) []byte
	// Decode decodes a message or a part of one into what v points to. A value that does not fit is an error, never a
	// panic: that would end the program where a reply is decoded.
	Decode(p []byte, v any) error
	// Append appends a message to b, and returns b as it was with an error: ErrOwnType, ErrNoType, ErrMalformed for a
	// map whose keys cannot stand beside the type, or that of the encoder.
	Append(b []byte, h Header, v any) ([]byte, error)
}
