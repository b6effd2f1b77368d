package wsx

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // RFC 6455, section 4.2.2, asks for it; nothing depends on its strength
	"encoding/base64"
	"slices"
)

// handshake is what the header fields of an upgrade say, as they were received: fasthttp keeps only the last of
// repeated ones.
type handshake struct {
	malformed    bool // a field that RFC 9112 forbids
	lengths      int  // Content-Length
	body         bool // one follows
	form         bool // which has parts
	codings      int  // Transfer-Encoding
	hosts        int
	host         []byte
	origins      int
	origin       []byte
	versions     int
	version      []byte
	keys         int
	key          []byte
	protocols    []string
	badProtocols bool
	extensions   []string
}

// isUpgrade reports whether the request wants to become a WebSocket: its Upgrade and its Connection both say so
// (RFC 6455, section 4.2.1). Folded lines and bare line feeds are read as fasthttp reads them, so that what is an
// upgrade for others is refused and not passed on. It allocates nothing, unless there is a carriage return too many.
func isUpgrade(raw []byte) bool {
	upgrade, connection := false, false
	var name []byte
	for len(raw) > 0 {
		var value []byte
		value, raw = nextLine(raw)
		if before, after, ok := bytes.Cut(value, colon); ok && value[0] != ' ' && value[0] != '\t' {
			name, value = before, after
		}
		switch {
		case equalName(name, "upgrade"):
			upgrade = upgrade || hasToken(value, "websocket")
		case equalName(name, "connection"):
			connection = connection || hasToken(value, "upgrade")
		}
	}
	return upgrade && connection
}

var (
	colon = []byte(":")
	comma = []byte(",")
)

// parseHandshake reads the fields that matter. The slices of the result refer to raw.
func parseHandshake(raw []byte) handshake {
	var h handshake
	for len(raw) > 0 {
		var line []byte
		line, raw = nextLine(raw)
		if len(line) == 0 && len(raw) == 0 {
			break
		}
		name, value, ok := bytes.Cut(line, colon)
		if !ok || !isToken(name) || !isFieldValue(value) {
			h.malformed = true
			continue
		}
		h.field(name, bytes.Trim(value, " \t"))
	}
	// A body whose end two readers see in different places is how requests are smuggled (RFC 9112, section 11.2).
	h.malformed = h.malformed || h.lengths+h.codings > 1
	h.badProtocols = h.badProtocols || repeats(h.protocols)
	return h
}

func (h *handshake) field(name, value []byte) {
	switch {
	case equalName(name, "host"):
		h.hosts++
		h.host = value
	case equalName(name, "origin"):
		h.origins++
		h.origin = value
	case equalName(name, "sec-websocket-version"):
		h.versions++
		h.version = value
	case equalName(name, "sec-websocket-key"):
		h.keys++
		h.key = value
	case equalName(name, "sec-websocket-protocol"):
		h.offer(value)
	case equalName(name, "sec-websocket-extensions"):
		h.extensions = append(h.extensions, string(value))
	case equalName(name, "content-length"):
		h.lengths++
		h.body = h.body || len(bytes.Trim(value, "0")) > 0
	case equalName(name, "content-type"):
		h.form = h.form || equalName(value[:min(len(value), len("multipart/"))], "multipart/")
	case equalName(name, "transfer-encoding"):
		h.codings++
		h.body = true
		h.malformed = h.malformed || !equalName(value, "chunked") // fasthttp takes "identity" too, which is no more
	}
}

// offer notes the subprotocols of one field; there may be several (RFC 6455, section 11.3.4).
func (h *handshake) offer(value []byte) {
	for p := range bytes.SplitSeq(value, comma) {
		p = bytes.Trim(p, " \t")
		if !isToken(p) {
			h.badProtocols = true
			continue
		}
		h.protocols = append(h.protocols, string(p))
	}
}

// repeats reports whether an element stands in the list twice, which no client may do (RFC 6455, section 4.1).
func repeats(list []string) bool {
	return len(slices.Compact(slices.Sorted(slices.Values(list)))) < len(list)
}

// equalName compares a name, which the caller gives in small letters. Only ASCII folds: with bytes.EqualFold the Kelvin
// sign would be a k.
func equalName(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, b := range name {
		if b >= 'A' && b <= 'Z' {
			b |= 0x20
		}
		if b != lower[i] {
			return false
		}
	}
	return true
}

// nextLine cuts the first line off, without its line feed. A carriage return before it goes too; one that is missing
// stays visible as a line feed, which no field may hold.
func nextLine(raw []byte) (line, rest []byte) {
	i := bytes.IndexByte(raw, '\n')
	switch {
	case i < 0:
		return raw, nil
	case i > 0 && raw[i-1] == '\r':
		return raw[:i-1], raw[i+1:]
	default:
		return raw[:i+1], raw[i+1:]
	}
}

// hasToken reports whether a comma-separated list names want, which is in small letters, compared without case.
func hasToken(list []byte, want string) bool {
	for len(list) > 0 {
		var item []byte
		item, list, _ = bytes.Cut(list, comma)
		if equalFolded(bytes.Trim(item, " \t\r\n"), want) {
			return true
		}
	}
	return false
}

// equalFolded is equalName past carriage returns: fasthttp drops those of a folded field.
func equalFolded(item []byte, lower string) bool {
	if bytes.IndexByte(item, '\r') >= 0 {
		item = bytes.ReplaceAll(item, []byte("\r"), nil)
	}
	return equalName(item, lower)
}

// isToken reports whether p is a token of RFC 9110, section 5.6.2.
func isToken(p []byte) bool {
	for _, b := range p {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
		case bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), b) >= 0:
		default:
			return false
		}
	}
	return len(p) > 0
}

// isFieldValue reports whether p may stand behind a field's name (RFC 9110, section 5.5).
func isFieldValue(p []byte) bool {
	for _, b := range p {
		if b < 0x20 && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}

// validKey reports whether p is 16 bytes in base64 (RFC 6455, section 4.2.1).
func validKey(p []byte) bool {
	var nonce [18]byte
	if len(p) != 24 {
		return false
	}
	n, err := base64.StdEncoding.Decode(nonce[:], p)
	return err == nil && n == 16
}

// acceptKey returns the Sec-WebSocket-Accept of a key (RFC 6455, section 4.2.2).
func acceptKey(key []byte) string {
	sum := sha1.New() //nolint:gosec // see the import
	sum.Write(key)
	sum.Write([]byte("258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum.Sum(nil))
}
