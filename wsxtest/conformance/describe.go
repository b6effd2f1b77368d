package conformance

import (
	"encoding/binary"
	"fmt"
)

// describe names what a frame or a message is.
func describe(op byte, payload []byte) string {
	kinds := map[byte]string{
		opContinuation: "a continuation", opText: "the text", opBinary: "the binary message",
		opClose: "a close frame", opPing: "a ping", opPong: "a pong",
	}
	return kinds[op] + " " + excerpt(payload)
}

// excerpt shows the start of a payload.
func excerpt(p []byte) string {
	const most = 32
	if len(p) > most {
		return fmt.Sprintf("%q... of %d bytes", p[:most], len(p))
	}
	return fmt.Sprintf("%q", p)
}

func describeClose(payload []byte) string {
	if len(payload) < 2 {
		return describeStatus(0)
	}
	return fmt.Sprintf("%d %q", binary.BigEndian.Uint16(payload), payload[2:])
}

func describeStatus(status int) string {
	if status == 0 {
		return "a close frame without a status"
	}
	return fmt.Sprintf("a close frame with %d", status)
}
