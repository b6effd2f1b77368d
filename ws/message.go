package ws

import (
	"bytes"
	"fmt"
)

// MessageType tells a text message from a binary one. The values are the opcodes of RFC 6455, section 5.2.
type MessageType uint8

// The two types of a message.
const (
	// Text is a message whose payload is valid UTF-8.
	Text MessageType = 1
	// Binary is a message of arbitrary bytes.
	Binary MessageType = 2
)

// String returns "text", "binary" or the number of an unknown type.
func (t MessageType) String() string {
	switch t {
	case Text:
		return "text"
	case Binary:
		return "binary"
	default:
		return fmt.Sprintf("type %d", uint8(t))
	}
}

// Message is one whole message, its fragments joined.
//
// A message given to a handler borrows its Data: it is valid until the handler returns. Keep a [Message.Clone] or a
// [Message.Text] of it.
type Message struct {
	// Type is Text or Binary.
	Type MessageType
	// Data is the payload, unmasked and, for Text, valid UTF-8.
	Data []byte
}

// Text returns a copy of the payload as a string.
func (m Message) Text() string { return string(m.Data) }

// Clone returns the message with a payload of its own, which may be kept.
func (m Message) Clone() Message { return Message{Type: m.Type, Data: bytes.Clone(m.Data)} }
