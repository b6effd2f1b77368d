package wire

import (
	"encoding/binary"

	"github.com/fiberwsx/wsx/ws"
)

// Opcode is the type of a frame (RFC 6455, section 5.2).
type Opcode byte

// The opcodes that RFC 6455 defines; the others are reserved.
const (
	OpContinuation Opcode = 0
	OpText         Opcode = 1
	OpBinary       Opcode = 2
	OpClose        Opcode = 8
	OpPing         Opcode = 9
	OpPong         Opcode = 10
)

const (
	// MaxControl is the longest payload of a control frame in bytes (RFC 6455, section 5.5).
	MaxControl = 125
	// MaxHeader is the longest header of a frame in bytes: two, a 64-bit length and a masking key.
	MaxHeader = 14

	finBit  = 0x80
	rsvBits = 0x70
	maskBit = 0x80

	// compressed is RSV1, which says of a message that its payload is compressed (RFC 7692, section 6).
	compressed = 0x40
)

func (op Opcode) control() bool { return op&8 != 0 }

func (op Opcode) known() bool { return op <= OpBinary || op >= OpClose && op <= OpPong }

// header is the header of one frame.
type header struct {
	fin        bool
	compressed bool // RSV1 is set
	op         Opcode
	length     int64
	key        uint32 // masking key, little endian; 0 when the frame is not masked
	size       int    // bytes of the header itself
}

// parseHeader reads a header off the start of b. A size of 0 without an error means that b ends inside it. What the
// first two bytes forbid is refused without waiting for the rest. Messages may be compressed if deflate says so.
func parseHeader(b []byte, masked, deflate bool) (header, error) {
	if len(b) < 2 {
		return header{}, nil
	}
	h := header{
		fin:        b[0]&finBit != 0,
		compressed: b[0]&rsvBits == compressed,
		op:         Opcode(b[0] & 0x0f),
		length:     int64(b[1] &^ maskBit),
	}
	if err := h.check(b, masked, deflate); err != nil {
		return header{}, err
	}
	size := 2
	switch h.length {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	keyAt := size
	if masked {
		size += 4
	}
	if len(b) < size {
		return header{}, h.checkPartialLength(b)
	}
	if err := h.readLength(b); err != nil {
		return header{}, err
	}
	if masked {
		h.key = binary.LittleEndian.Uint32(b[keyAt:])
	}
	h.size = size
	return h, nil
}

// wholeMessage recognises the most frequent frame, so that it costs little: a masked message in one frame of less than
// 64 KiB, all of it there. An end of 0 means that b starts with something else, be it valid or not.
func wholeMessage(b []byte) (op Opcode, key uint32, start, end int) {
	if len(b) < 8 || b[0] != finBit|byte(OpText) && b[0] != finBit|byte(OpBinary) || b[1]&maskBit == 0 {
		return 0, 0, 0, 0
	}
	n := int(b[1] &^ maskBit)
	start = 6
	if n >= 126 {
		start, n = 8, int(binary.BigEndian.Uint16(b[2:]))
		if b[1] != maskBit|126 || n < 126 {
			return 0, 0, 0, 0
		}
	}
	if end = start + n; end > len(b) {
		return 0, 0, 0, 0
	}
	return Opcode(b[0] &^ finBit), binary.LittleEndian.Uint32(b[start-4:]), start, end
}

// check refuses what the first two bytes already show to be wrong.
func (h *header) check(b []byte, masked, deflate bool) error {
	switch {
	case b[0]&rsvBits != 0 && !h.maybeCompressed(deflate):
		return protocolError("reserved bit set")
	case !h.op.known():
		return protocolError("reserved opcode")
	case masked != (b[1]&maskBit != 0):
		return protocolError("wrong masking")
	case h.op.control() && !h.fin:
		return protocolError("fragmented control frame")
	case h.op.control() && h.length > MaxControl:
		return protocolError("control frame too long")
	default:
		return nil
	}
}

// maybeCompressed reports whether the reserved bits say that a message is compressed, and may say so.
func (h *header) maybeCompressed(deflate bool) bool {
	return deflate && h.compressed && (h.op == OpText || h.op == OpBinary)
}

// checkPartialLength refuses a 64-bit length by its first byte, which is all it needs.
func (h *header) checkPartialLength(b []byte) error {
	if h.length == 127 && len(b) > 2 && b[2]&0x80 != 0 {
		return protocolError("length over 63 bits")
	}
	return nil
}

func (h *header) readLength(b []byte) error {
	switch h.length {
	case 126:
		h.length = int64(binary.BigEndian.Uint16(b[2:]))
		if h.length < 126 {
			return protocolError("length not minimal")
		}
	case 127:
		n := binary.BigEndian.Uint64(b[2:])
		if n>>63 != 0 {
			return protocolError("length over 63 bits")
		}
		if n < 1<<16 {
			return protocolError("length not minimal")
		}
		h.length = int64(n)
	}
	return nil
}

func protocolError(reason string) error {
	return ws.CloseError{Status: ws.StatusProtocolError, Reason: reason}
}

// AppendHeader appends the header of a frame with a payload of n bytes. An opcode may hold RSV1 too. A non-nil key is
// the masking key, which the caller applies to the payload with [Mask].
func AppendHeader(b []byte, fin bool, op Opcode, n int, key *[4]byte) []byte {
	first := byte(op)
	if fin {
		first |= finBit
	}
	var mask byte
	if key != nil {
		mask = maskBit
	}
	switch {
	case n < 126:
		b = append(b, first, mask|byte(n))
	case n < 1<<16:
		b = append(b, first, mask|126, byte(n>>8), byte(n))
	default:
		b = append(b, first, mask|127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	if key != nil {
		b = append(b, key[:]...)
	}
	return b
}

// headerSize returns the length of an unmasked header for a payload of n bytes.
func headerSize(n int) int {
	switch {
	case n < 126:
		return 2
	case n < 1<<16:
		return 4
	default:
		return 10
	}
}
