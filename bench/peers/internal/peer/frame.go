package peer

import (
	"encoding/binary"
	"errors"
)

// The opcodes that the limits tell apart.
const (
	OpClose = 8
	OpPing  = 9
	OpPong  = 10
)

// Frame is a client's frame.
type Frame struct {
	Op      byte
	Payload []byte // masked, part of what was read
	Size    int    // of the whole frame in bytes; 0: it is not all there yet
	key     uint32
}

var errTooLong = errors.New("a message over 16 MiB")

// Next finds the first frame of b. It checks nothing but the length.
func Next(b []byte) (Frame, error) {
	if len(b) < 6 {
		return Frame{}, nil
	}
	n, at := uint64(b[1]&0x7F), 2
	switch n {
	case 126:
		if at = 4; len(b) < 8 {
			return Frame{}, nil
		}
		n = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if at = 10; len(b) < 14 {
			return Frame{}, nil
		}
		if n = binary.BigEndian.Uint64(b[2:]); n > MaxMessage {
			return Frame{}, errTooLong
		}
	}
	end := at + 4 + int(n) // bounded above
	if len(b) < end {
		return Frame{}, nil
	}
	return Frame{Op: b[0] & 15, Payload: b[at+4 : end], Size: end, key: binary.LittleEndian.Uint32(b[at:])}, nil
}

// AppendUnmasked appends f as the server's frame with the opcode op: one copy, and the mask taken off in it.
func AppendUnmasked(b []byte, op byte, f Frame) []byte {
	switch n := len(f.Payload); {
	case n < 126:
		b = append(b, 0x80|op, byte(n))
	case n < 1<<16:
		b = append(b, 0x80|op, 126, byte(n>>8), byte(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|op, 127), uint64(n))
	}
	at := len(b)
	b = append(b, f.Payload...)
	unmask(b[at:], uint64(f.key)|uint64(f.key)<<32)
	return b
}

func unmask(p []byte, key uint64) {
	for len(p) >= 32 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^key)
		binary.LittleEndian.PutUint64(p[8:], binary.LittleEndian.Uint64(p[8:])^key)
		binary.LittleEndian.PutUint64(p[16:], binary.LittleEndian.Uint64(p[16:])^key)
		binary.LittleEndian.PutUint64(p[24:], binary.LittleEndian.Uint64(p[24:])^key)
		p = p[32:]
	}
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^key)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= byte(key)
		key >>= 8
	}
}
