package hub

import (
	"github.com/fiberwsx/wsx/internal/deflate"
	"github.com/fiberwsx/wsx/internal/wire"
)

// Compression is permessage-deflate (RFC 7692), for clients that offer it. The zero value is off.
//
// Without context takeover every message is compressed by itself: a connection costs no memory for it, and a broadcast
// is compressed once for all, but for those that ask for a smaller window than the hub's, which get it as it is. With
// it a message may refer to the ones before, which makes small messages that resemble each other much smaller; then
// each connection keeps the windows of the sides that do so once they are used: with the defaults 4 KiB for the hub's
// messages and 4 KiB for the client's, 32 KiB where the client cannot restrict itself. Compressing a message costs the
// time to read through that window, and a broadcast is compressed for each such connection. Limits count what a message
// holds, not what it takes on the wire.
type Compression struct {
	// Enabled accepts the extension.
	Enabled bool
	// Level is from 1 (fastest) to 9 (smallest). It counts for windows of 15 bits alone, where 7 and more are 6 with
	// context takeover; smaller windows have a level of their own. Optional. Default: 1.
	Level int
	// Threshold is how many bytes of payload a message must have to be compressed. Optional. Default: 512, with
	// ServerContextTakeover 128; negative: every message.
	Threshold int
	// ServerContextTakeover lets the hub's messages refer to earlier ones, unless the client does not want that.
	// Optional. Default: false.
	ServerContextTakeover bool
	// ClientContextTakeover lets the client's messages refer to earlier ones. Optional. Default: false.
	ClientContextTakeover bool
	// ServerMaxWindowBits is the logarithm of how many bytes the hub's messages refer back, from 8 to 15. Optional.
	// Default: 15 (32 KiB), with ServerContextTakeover 12 (4 KiB).
	ServerMaxWindowBits int
	// ClientMaxWindowBits is the same for the client's messages, from 8 to 15. A client that cannot restrict itself has
	// 15. Optional. Default: 15, with ClientContextTakeover 12.
	ClientMaxWindowBits int
}

// withDefaults returns c with every 0 replaced by its default.
func (c Compression) withDefaults() Compression {
	c.Level = orDefault(c.Level, 1)
	c.Threshold = limit(c.Threshold, either(c.ServerContextTakeover, 128, 512))
	c.ServerMaxWindowBits = orDefault(c.ServerMaxWindowBits, either(c.ServerContextTakeover, 12, deflate.MaxBits))
	c.ClientMaxWindowBits = orDefault(c.ClientMaxWindowBits, either(c.ClientContextTakeover, 12, deflate.MaxBits))
	return c
}

func either(first bool, a, b int) int {
	if first {
		return a
	}
	return b
}

// check panics when c, with its defaults, cannot work.
func (c Compression) check() {
	switch {
	case c.Level < 1 || c.Level > 9:
		panic("hub: Config.Compression.Level must be from 1 to 9")
	case !validBits(c.ServerMaxWindowBits):
		panic("hub: Config.Compression.ServerMaxWindowBits must be from 8 to 15")
	case !validBits(c.ClientMaxWindowBits):
		panic("hub: Config.Compression.ClientMaxWindowBits must be from 8 to 15")
	}
}

func validBits(n int) bool { return n >= deflate.MinBits && n <= deflate.MaxBits }

func (c Compression) engine() wire.Compression {
	return wire.Compression{Level: c.Level, Threshold: c.Threshold, Bits: c.ServerMaxWindowBits}
}

// Extensions answers the values of a client's Sec-WebSocket-Extensions fields: with the value of the response's field,
// which is also what [Request] wants to have, or with "" when there is to be none. An error means that the fields do
// not follow the grammar, so that the handshake has to fail (RFC 6455, section 9.1).
func (h *Hub) Extensions(offers ...string) (string, error) {
	c := h.cfg.Compression
	answer, _, err := deflate.Policy{
		ServerTakeover: c.ServerContextTakeover,
		ClientTakeover: c.ClientContextTakeover,
		ServerBits:     c.ServerMaxWindowBits,
		ClientBits:     c.ClientMaxWindowBits,
	}.Negotiate(offers...)
	if !c.Enabled {
		answer = ""
	}
	return answer, err
}
