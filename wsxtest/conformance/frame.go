package conformance

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// The opcodes of RFC 6455, section 5.2, and the bits beside them.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa

	fin  = 0x80
	rsv1 = 0x40
	rsv2 = 0x20
	rsv3 = 0x10

	masked = 0x80
)

// maxReceived is how long a frame from the server may be before it is taken for garbage.
const maxReceived = 64 << 20

// defaultKey masks the frames that have no key of their own. It is no palindrome of any kind, so that a server that
// applies it in the wrong order shows.
var defaultKey = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// frame is a frame as it came from the server.
type frame struct {
	first   byte // FIN, the reserved bits and the opcode
	payload []byte
}

func (f frame) op() byte      { return f.first & 0x0f }
func (f frame) control() bool { return f.first&0x08 != 0 }

// raw builds a masked frame with the given first byte.
func raw(first byte, payload []byte) []byte { return keyed(first, defaultKey, payload) }

// keyed builds a frame with a masking key of its own.
func keyed(first byte, key [4]byte, payload []byte) []byte {
	b := header(first, minimal(len(payload)), uint64(len(payload)), key)
	start := len(b)
	b = append(b, payload...)
	for i := range payload {
		b[start+i] ^= key[i%4]
	}
	return b
}

// unmasked builds a frame as only a server may send it.
func unmasked(first byte, payload []byte) []byte {
	return append([]byte{first, byte(len(payload))}, payload...)
}

// partial builds the start of a frame that says it has n bytes of payload, and has those alone that are given.
func partial(first byte, n int, payload []byte) []byte {
	whole := raw(first, append(slices.Clip(payload), make([]byte, n-len(payload))...))
	return whole[:len(whole)-n+len(payload)]
}

// minimal returns how many further bytes the length n takes.
func minimal(n int) int {
	switch {
	case n < 126:
		return 0
	case n < 1<<16:
		return 2
	default:
		return 8
	}
}

// header builds the header of a masked frame whose length takes form further bytes: 0, 2 or 8, minimal or not.
func header(first byte, form int, n uint64, key [4]byte) []byte {
	b := []byte{first, masked}
	switch form {
	case 0:
		b[1] |= byte(n)
	case 2:
		b[1] |= 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b[1] |= 127
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return append(b, key[:]...)
}

func text(s string) []byte   { return raw(fin|opText, []byte(s)) }
func blob(p []byte) []byte   { return raw(fin|opBinary, p) }
func begin(s string) []byte  { return raw(opText, []byte(s)) }
func middle(s string) []byte { return raw(opContinuation, []byte(s)) }
func end(s string) []byte    { return raw(fin|opContinuation, []byte(s)) }
func ping(s string) []byte   { return raw(fin|opPing, []byte(s)) }
func pong(s string) []byte   { return raw(fin|opPong, []byte(s)) }

// bye builds a close frame.
func bye(status int, reason string) []byte { return raw(fin|opClose, closePayload(status, reason)) }

func closePayload(status int, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(status)), reason...)
}

// pattern returns n bytes that differ from place to place.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i*7>>3) ^ byte(i>>8)
	}
	return p
}

// readFrame reads one frame. Whatever no server may send is an error: the bits of an extension that was not agreed on
// (allowed tells those that may be set), a mask, a length that is not minimal, a control frame that is long or in
// fragments.
func readFrame(r *bufio.Reader, allowed byte) (frame, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	f := frame{first: head[0]}
	switch bits := f.first & (rsv1 | rsv2 | rsv3); {
	case bits&^allowed != 0:
		return f, fmt.Errorf("the server sent a frame with the reserved bits %#x", bits)
	case f.op() > opBinary && f.op() < opClose || f.op() > opPong:
		return f, fmt.Errorf("the server sent the reserved opcode %d", f.op())
	case head[1]&masked != 0:
		return f, fmt.Errorf("the server sent a masked frame")
	case f.control() && (f.first&fin == 0 || head[1] > 125 || bits != 0):
		return f, fmt.Errorf("the server sent a control frame that starts with % x", head)
	}
	n, err := readLength(r, head[1])
	if err != nil {
		return f, err
	}
	f.payload = make([]byte, n)
	if _, err := io.ReadFull(r, f.payload); err != nil {
		return f, noEOF(err)
	}
	return f, nil
}

// readLength reads the further bytes of a length.
func readLength(r *bufio.Reader, short byte) (uint64, error) {
	var b [8]byte
	var n uint64
	switch short {
	case 126:
		if _, err := io.ReadFull(r, b[6:]); err != nil {
			return 0, noEOF(err)
		}
		if n = binary.BigEndian.Uint64(b[:]); n < 126 {
			return 0, fmt.Errorf("the server sent a length of %d in 2 bytes more than that needs", n)
		}
	case 127:
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return 0, noEOF(err)
		}
		if n = binary.BigEndian.Uint64(b[:]); n < 1<<16 || n > maxReceived {
			return 0, fmt.Errorf("the server sent a 64-bit length of %d", n)
		}
	default:
		n = uint64(short)
	}
	return n, nil
}

// noEOF says of an end in the middle that it is one.
func noEOF(err error) error {
	if err == io.EOF { //nolint:errorlint // io.ReadFull returns it bare
		return io.ErrUnexpectedEOF
	}
	return err
}
