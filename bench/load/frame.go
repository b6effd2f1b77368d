package load

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// maskKey is every frame's: what is measured does not depend on it, as long as it is not zero.
const maskKey = 0x5A17C3E9

// appendFrame appends a masked frame. The payload is a number, and a pattern that follows from it; size is at least 8.
func appendFrame(b []byte, op byte, number uint64, size int) []byte {
	b = append(b, 0x80|op)
	switch {
	case size < 126:
		b = append(b, 0x80|byte(size))
	case size < 1<<16:
		b = append(b, 0x80|126, byte(size>>8), byte(size))
	default:
		b = append(b, 0x80|127)
		b = binary.BigEndian.AppendUint64(b, uint64(size))
	}
	b = binary.LittleEndian.AppendUint32(b, maskKey)
	at := len(b)
	b = appendPayload(b, number, size)
	const key = uint64(maskKey)<<32 | maskKey
	p := b[at:]
	for ; len(p) >= 8; p = p[8:] {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^key)
	}
	for i := range p {
		p[i] ^= byte(key >> (8 * i))
	}
	return b
}

func appendPayload(b []byte, number uint64, size int) []byte {
	b = binary.LittleEndian.AppendUint64(b, number)
	for i := 8; i < size; i++ {
		b = append(b, byte(i)^byte(number))
	}
	return b
}

// numbered compares the number in a payload of at least 8 bytes.
func numbered(p []byte, number uint64) error {
	if got := binary.LittleEndian.Uint64(p); got != number {
		return fmt.Errorf("got message %d, want %d", got, number)
	}
	return nil
}

// check compares a payload with what appendPayload makes of the number.
func check(p []byte, number uint64) error {
	if err := numbered(p, number); err != nil {
		return err
	}
	for i := 8; i < len(p); i++ {
		if p[i] != byte(i)^byte(number) {
			return fmt.Errorf("byte %d of message %d is %#x, want %#x", i, number, p[i], byte(i)^byte(number))
		}
	}
	return nil
}

var (
	errMasked  = errors.New("the server masks its frames")
	errLong    = fmt.Errorf("a frame of over %d bytes", longest)
	errPadded  = errors.New("the length of a frame is not in its shortest form")
	errControl = errors.New("a control frame of over 125 bytes")
)

// longest is how many bytes a frame of the server may have in all.
const longest = 1 << 20

// parse reads one frame off the start of b. A size of 0 means that it is not all there. The client sends binary
// messages in one frame each and expects the like back; text is what servers say of acknowledgements.
func parse(b []byte) (op byte, payload []byte, size int, err error) {
	if len(b) < 2 {
		return 0, nil, 0, nil
	}
	switch b[0] {
	case 0x80 | opText, 0x80 | opBinary:
	case 0x80 | opClose, 0x80 | opPing, 0x80 | opPong:
		if b[1]&0x7F > 125 {
			return 0, nil, 0, errControl
		}
	default:
		return 0, nil, 0, fmt.Errorf("unexpected frame header %#x", b[0])
	}
	if b[1]&0x80 != 0 {
		return 0, nil, 0, errMasked
	}
	n, header, err := length(b)
	if err != nil || header == 0 || uint64(len(b)-header) < n {
		return 0, nil, 0, err
	}
	size = header + int(n)
	return b[0] & 0x0F, b[header:size], size, nil
}

// length reads how long the payload is and the header before it. A header of 0 means that it is not all there.
func length(b []byte) (n uint64, header int, err error) {
	least := uint64(0)
	switch n, header = uint64(b[1]), 2; {
	case n == 126 && len(b) >= 4:
		n, header, least = uint64(binary.BigEndian.Uint16(b[2:])), 4, 126
	case n == 127 && len(b) >= 10:
		n, header, least = binary.BigEndian.Uint64(b[2:]), 10, 1<<16
	case n >= 126:
		return 0, 0, nil
	}
	switch {
	case n < least:
		return 0, 0, errPadded
	case n > longest-uint64(header):
		return 0, 0, errLong
	}
	return n, header, nil
}
