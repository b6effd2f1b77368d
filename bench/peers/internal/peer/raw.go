package peer

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Upgrade answers the handshake on a socket by hand, and returns the path.
func Upgrade(nc net.Conn) (path string, err error) {
	if err := nc.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	in := bufio.NewReader(nc)
	r, err := http.ReadRequest(in)
	if err != nil {
		return "", err
	}
	if in.Buffered() > 0 {
		return "", errors.New("frames before the answer")
	}
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // as above
	_, err = fmt.Fprintf(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	return r.URL.Path, errors.Join(err, nc.SetReadDeadline(time.Time{}))
}

// Frame is a client's frame, unmasked.
type Frame struct {
	Op      byte
	Payload []byte
	Size    int // of the whole frame; 0: it is not all there
}

// Next unmasks the first frame of b in place, and checks nothing.
func Next(b []byte) Frame {
	if len(b) < 6 {
		return Frame{}
	}
	n, at := int(b[1]&0x7F), 2
	switch n {
	case 126:
		if at = 4; len(b) < 8 {
			return Frame{}
		}
		n = int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if at = 10; len(b) < 14 {
			return Frame{}
		}
		n = int(binary.BigEndian.Uint64(b[2:])) //nolint:gosec // the load's own frames
	}
	if len(b) < at+4+n {
		return Frame{}
	}
	key := uint64(binary.LittleEndian.Uint32(b[at:]))
	p := b[at+4 : at+4+n]
	unmask(p, key|key<<32)
	return Frame{Op: b[0] & 15, Payload: p, Size: at + 4 + n}
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

// AppendFrame appends a server's frame.
func AppendFrame(b []byte, op byte, p []byte) []byte {
	switch n := len(p); {
	case n < 126:
		b = append(b, 0x80|op, byte(n))
	case n < 1<<16:
		b = append(b, 0x80|op, 126, byte(n>>8), byte(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|op, 127), uint64(n))
	}
	return append(b, p...)
}
