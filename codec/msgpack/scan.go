package msgpack

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/fiberwsx/wsx/codec"
)

// family is what a value is, as far as walking past it goes.
type family uint8

const (
	invalid family = iota
	number         // integers and floats
	other          // nil and booleans
	text
	binaries // bytes and extensions
	array
	mapping
)

// head is the beginning of a value.
type head struct {
	family family
	at     int // where its payload or its first element begins
	n      int // bytes of its payload, or how many elements it has
}

// fixed are the values of one byte and what follows it: bytes of payload.
var fixed = map[byte]struct {
	family family
	size   int
}{
	0xc0: {other, 0}, 0xc2: {other, 0}, 0xc3: {other, 0}, 0xca: {number, 4}, 0xcb: {number, 8},
	0xcc: {number, 1}, 0xcd: {number, 2}, 0xce: {number, 4}, 0xcf: {number, 8},
	0xd0: {number, 1}, 0xd1: {number, 2}, 0xd2: {number, 4}, 0xd3: {number, 8},
	0xd4: {binaries, 2}, 0xd5: {binaries, 3}, 0xd6: {binaries, 5}, 0xd7: {binaries, 9}, 0xd8: {binaries, 17},
}

// counted are the values whose length follows in so many bytes; an extension has one byte more.
var counted = map[byte]struct {
	family family
	size   int
	more   int
}{
	0xc4: {binaries, 1, 0}, 0xc5: {binaries, 2, 0}, 0xc6: {binaries, 4, 0},
	0xc7: {binaries, 1, 1}, 0xc8: {binaries, 2, 1}, 0xc9: {binaries, 4, 1},
	0xd9: {text, 1, 0}, 0xda: {text, 2, 0}, 0xdb: {text, 4, 0},
	0xdc: {array, 2, 0}, 0xdd: {array, 4, 0}, 0xde: {mapping, 2, 0}, 0xdf: {mapping, 4, 0},
}

// headAt reads the head of the value at a place. A payload may be cut; see skip.
func headAt(p []byte, at int) head {
	if at >= len(p) {
		return head{}
	}
	b := p[at]
	at++
	switch {
	case b <= 0x7f || b >= 0xe0:
		return head{number, at, 0}
	case b <= 0x8f:
		return head{mapping, at, int(b & 0x0f)}
	case b <= 0x9f:
		return head{array, at, int(b & 0x0f)}
	case b <= 0xbf:
		return head{text, at, int(b & 0x1f)}
	}
	if f, ok := fixed[b]; ok {
		return head{f.family, at, f.size}
	}
	c, ok := counted[b]
	if !ok || len(p)-at < c.size {
		return head{}
	}
	var wide [8]byte
	copy(wide[8-c.size:], p[at:])
	n := min(binary.BigEndian.Uint64(wide[:]), math.MaxInt32-1) // an int may have 32 bits
	return head{c.family, at + c.size, int(n) + c.more}
}

// skip returns where the value at a place ends. False: it is cut, no MessagePack, or nested deeper than it may be.
func skip(p []byte, at, depth int) (end int, ok bool) {
	h := headAt(p, at)
	switch h.family {
	case array, mapping:
		if depth >= codec.MaxDepth {
			return 0, false
		}
	case invalid:
		return 0, false
	default:
		if h.n > len(p)-h.at {
			return 0, false
		}
		end = h.at + h.n
		return end, h.family != text || utf8.Valid(p[h.at:end])
	}
	at = h.at
	for range h.n { // each takes a byte at least, so a count that lies ends with p
		if h.family == mapping {
			if key := headAt(p, at).family; key != text && key != number {
				return 0, false // no key of a Go map
			}
			if at, ok = skip(p, at, depth+1); !ok {
				return 0, false
			}
		}
		if at, ok = skip(p, at, depth+1); !ok {
			return 0, false
		}
	}
	return at, true
}

// member is one of a map, encoded.
type member struct {
	name       string
	key, value []byte
}

// members returns those of a map that is the whole of p. False: it is none, or one with a key that is no text.
func members(p []byte) (all []member, ok bool) {
	h := headAt(p, 0)
	if end, ok := skip(p, 0, 0); !ok || end != len(p) || h.family != mapping {
		return nil, false
	}
	at := h.at
	for range h.n {
		key := headAt(p, at)
		if key.family != text {
			return nil, false
		}
		value := key.at + key.n
		end, _ := skip(p, value, 1)
		all = append(all, member{string(p[key.at:value]), p[at:value], p[value:end]})
		at = end
	}
	return all, true
}

// appendMap appends the head of a map.
func appendMap(b []byte, n int) []byte {
	switch {
	case n <= 0x0f:
		return append(b, 0x80|byte(n))
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(b, 0xde), uint16(n))
	default:
		return binary.BigEndian.AppendUint32(append(b, 0xdf), uint32(n))
	}
}
