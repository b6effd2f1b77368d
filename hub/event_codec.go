package hub

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/ws"
)

// checkCodecs panics when no client could choose one of them.
func checkCodecs(all []codec.Codec) {
	for i, k := range all {
		switch {
		case k == nil:
			panic("hub: Config.Codecs has a nil")
		case k.Subprotocol() == "":
			panic("hub: Config.Codecs has a codec without a subprotocol, by which a client could ask for it")
		case k.Subprotocol() == AckProtocol || k.Subprotocol() == "wsx.v1":
			panic("hub: Config.Codecs has a codec for " + strconv.Quote(k.Subprotocol()) + ", which has a meaning already")
		case strings.ContainsFunc(k.Subprotocol(), notToken):
			panic("hub: Config.Codecs has a codec for the subprotocol " + strconv.Quote(k.Subprotocol()) +
				", which no client can ask for: it is not a token of RFC 9110")
		case slices.ContainsFunc(all[:i], func(o codec.Codec) bool { return o.Subprotocol() == k.Subprotocol() }):
			panic("hub: Config.Codecs has two codecs for the subprotocol " + strconv.Quote(k.Subprotocol()))
		}
	}
}

// notToken reports whether no token has r.
func notToken(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// Subprotocols returns those that the hub gives a meaning to: [AckProtocol] where it acknowledges, and those of
// Config.Codecs, in their order.
func (h *Hub) Subprotocols() (all []string) {
	if h.Acknowledges() {
		all = append(all, AckProtocol)
	}
	for _, k := range h.cfg.Codecs {
		all = append(all, k.Subprotocol())
	}
	return all
}

// codec returns the one that the client has chosen.
func (c *Conn) codec() codec.Codec {
	for _, k := range c.hub.cfg.Codecs {
		if k.Subprotocol() == c.req.Subprotocol {
			return k
		}
	}
	return codec.JSON
}

// kindOf returns the type of a codec's messages.
func kindOf(k codec.Codec) ws.MessageType {
	if k.Binary() {
		return ws.Binary
	}
	return ws.Text
}
