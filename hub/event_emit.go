package hub

import (
	"fmt"
	"sync"

	"github.com/fiberwsx/wsx/codec"
)

// Emit sends an event. A struct or a map is {"type":event} with its own fields, every other value {"type":event,"data":v},
// see [codec.Beside]; with nil there is nothing beside the type. It works in every hub, and fails with
// [codec.ErrOwnType] for a value that has a "type" of its own, with [codec.ErrNoType] without a name, and as [Conn.Send].
func (c *Conn) Emit(event string, v any) error {
	return c.emit(codec.Header{Type: event}, v)
}

func (c *Conn) emit(head codec.Header, v any) error {
	k := c.codec()
	return encoded(k, head, v, c.Send)
}

// Emit sends an event, encoded once for all receivers, as [Conn.Emit] does. Errors: those of the encoding, and of
// [Target.Send].
func (t Target) Emit(event string, v any) error {
	return encoded(codec.JSON, codec.Header{Type: event}, v, t.Send)
}

// encodings are buffers for messages that are sent at once.
var encodings = sync.Pool{New: func() any { return new([]byte) }}

// mostKept is the largest buffer that is kept, in bytes.
const mostKept = 64 << 10

// encoded sends an event by way of a buffer that is used again.
func encoded(k codec.Codec, head codec.Header, v any, send func(Message) error) error {
	buffer := encodings.Get().(*[]byte)
	p, err := k.Append((*buffer)[:0], head, v)
	if err != nil {
		err = fmt.Errorf("hub: encoding an event: %w", err)
	} else {
		err = send(Message{Type: kindOf(k), Data: p})
	}
	if cap(p) <= mostKept {
		*buffer = p[:0]
		encodings.Put(buffer)
	}
	return err
}
