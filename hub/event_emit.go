package hub

import (
	"fmt"
	"sync"

	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/internal/wire"
)

// Emit sends an event. A struct or a map is {"type":event} with its own fields, every other value
// {"type":event,"data":v}, see [codec.Beside]; with nil there is nothing beside the type. It works in every hub, and
// fails with [codec.ErrOwnType] for a value that has a "type" of its own, with [codec.ErrNoType] without a name, and as
// [Conn.Send].
func (c *Conn) Emit(event string, v any) error {
	return c.emit(codec.Header{Type: event}, v)
}

func (c *Conn) emit(head codec.Header, v any) error {
	k := c.codec()
	return encoded(k, head, v, c.Send)
}

// Emit sends an event as [Conn.Emit] does, encoded once for all receivers; with Config.Codecs once for each encoding,
// and sent to nobody if one of them fails. Errors: those of the encoding, and of [Target.Send].
func (t Target) Emit(event string, v any) error {
	head := codec.Header{Type: event}
	if len(t.hub.cfg.Codecs) == 0 {
		return encoded(codec.JSON, head, v, t.Send)
	}
	if t.one != nil {
		return encoded(t.one.codec(), head, v, t.Send)
	}
	return t.emitIn(append([]codec.Codec{codec.JSON}, t.hub.cfg.Codecs...), head, v, nil)
}

// emitIn encodes an event in each of the codecs, and sends all of that at once.
func (t Target) emitIn(codecs []codec.Codec, head codec.Header, v any, letters []letter) error {
	if len(codecs) == 0 {
		if err := t.check(); err != nil {
			return err
		}
		t.deliver(letters...)
		return nil
	}
	k := codecs[0]
	return encoded(k, head, v, func(m Message) error {
		if err := wire.CheckMessage(m.Type, m.Data); err != nil {
			return err
		}
		return t.emitIn(codecs[1:], head, v, append(letters, letter{Message: m, in: k.Subprotocol()}))
	})
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
