package load

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// maxPing is the longest ping of a server in bytes.
const maxPing = 2 + 125

// EchoTLS is [Client.Echo] over TLS, with one message in flight on each of n connections. It uses the TLS of Go, so it
// is slower than the rest of the client, which does not change what the server needs for a message.
func EchoTLS(addr netip.AddrPort, path string, n int, l Load) (Result, error) {
	conns := make([]*tls.Conn, n)
	for i := range conns {
		c, err := dialTLS(addr, path)
		if err != nil {
			return Result{}, fmt.Errorf("connection %d: %w", i, err)
		}
		defer c.Close()
		conns[i] = c
	}
	frame := appendFrame(nil, opBinary, 7, l.Size)
	in := make([]byte, l.Size+10+maxPing)
	var total uint64
	round := func() error {
		for _, c := range conns {
			if _, err := c.Write(frame); err != nil {
				return err
			}
		}
		for _, c := range conns {
			if err := receive(c, in); err != nil {
				return err
			}
			total++
		}
		return nil
	}
	if err := repeat(l.Warmup, round); err != nil {
		return Result{}, err
	}
	s := begin(l.Meter, total)
	err := repeat(l.Measure, round)
	return s.end(total), err
}

func dialTLS(addr netip.AddrPort, path string) (*tls.Conn, error) {
	c, err := tls.Dial("tcp", addr.String(), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the server is our own, and its certificate of a moment
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path, addr)
	var b []byte
	for one := make([]byte, 1); err == nil && !bytes.HasSuffix(b, []byte("\r\n\r\n")); b = append(b, one...) {
		_, err = io.ReadFull(c, one)
	}
	if err == nil && !bytes.Contains(b, []byte(accepted)) {
		err = fmt.Errorf("the server answers %q", b)
	}
	return c, err
}

// receive reads one message, and compares it.
func receive(c io.Reader, in []byte) error {
	have := 0
	for {
		n, err := c.Read(in[have:])
		have += n
		if err != nil {
			return err
		}
		op, payload, size, err := parse(in[:have])
		if err == nil && op == opPing { // what is sent next counts as life too
			have = copy(in, in[size:have])
			op, payload, size, err = parse(in[:have])
		}
		switch {
		case err != nil:
			return err
		case size == 0:
		case size < have:
			return errors.New("more came back than was sent")
		case op != opBinary:
			return errors.New("the server says goodbye")
		default:
			return check(payload, 7)
		}
	}
}
