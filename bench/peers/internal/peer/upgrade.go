package peer

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// Upgrade answers the handshake on a socket by hand, and returns the path. It looks at the key only.
func Upgrade(nc net.Conn) (path string, err error) {
	if err := nc.SetReadDeadline(time.Now().Add(ReadTimeout)); err != nil {
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
	if err := nc.SetReadDeadline(time.Time{}); err != nil {
		return "", err
	}
	_, err = io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: "+base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n")
	return r.URL.Path, err
}
