package load_test

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"net/textproto"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The length of the client's pings, and an answer to them.
const (
	ping = 2 + 4 + 8
	pong = "\x8a\x00"
)

// rawServe accepts one connection, answers its handshake and its first ping, and leaves the rest to f.
func rawServe(t *testing.T, f func(io.ReadWriter)) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		in := bufio.NewReader(nc)
		if _, err := textproto.NewReader(in).ReadLine(); err != nil {
			return
		}
		if _, err := textproto.NewReader(in).ReadMIMEHeader(); err != nil {
			return
		}
		_, _ = io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
		if _, err := io.ReadFull(in, make([]byte, ping)); err != nil {
			return
		}
		_, _ = io.WriteString(nc, pong)
		f(nc)
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return ln.Addr().(*net.TCPAddr).AddrPort()
}

// TestAWrongFrameIsFound: what RFC 6455 does not let a server send, or what has no place in an answer.
func TestAWrongFrameIsFound(t *testing.T) {
	for name, row := range map[string]struct{ answer, want string }{
		"masked":                   {"\x82\x80\x00\x00\x00\x00", "masks its frames"},
		"a part":                   {"\x02\x01a", "unexpected frame header 0x2"},
		"a reserved bit":           {"\xc2\x01a", "unexpected frame header 0xc2"},
		"no known kind":            {"\x83\x01a", "unexpected frame header 0x83"},
		"two bytes for a length":   {"\x82\x7e\x00\x7d", "shortest form"},
		"eight bytes for a length": {"\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", "shortest form"},
		"a length below zero":      {"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", "a frame of over"},
		"a long ping":              {"\x89\x7e\x00\x7e", "a control frame of over 125"},
		"another length":           {"\x82\x01a", "of 128 bytes came back with 1"},
		"the end":                  {"", "closed the connection"},
		"a close frame":            {"\x88\x02\x03\xe9", "closed the connection with a close frame"},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, rawServe(t, func(rw io.ReadWriter) {
				_, _ = io.ReadFull(rw, make([]byte, 128+8))
				_, _ = io.WriteString(rw, row.answer)
			}), 1)
			if _, err := c.Echo(short(128, 1)); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want something with %q", err, row.want)
			}
		})
	}
}

// TestEchoAllocatesNothing: neither the client nor this server allocates for a message.
func TestEchoAllocatesNothing(t *testing.T) {
	c := client(t, rawServe(t, func(rw io.ReadWriter) {
		b := make([]byte, 8+128) // two bytes and a length of two, then the key
		for {
			if _, err := io.ReadFull(rw, b[:ping]); err != nil {
				return
			}
			if b[0] == 0x89 {
				_, _ = io.WriteString(rw, pong)
				continue
			}
			if _, err := io.ReadFull(rw, b[ping:]); err != nil {
				return
			}
			for i := range b[8:] {
				b[8+i] ^= b[4+i%4]
			}
			b[1] &^= 0x80
			copy(b[4:], b[:4]) // over the key
			if _, err := rw.Write(b[4:]); err != nil {
				return
			}
		}
	}), 1)
	l := short(128, 1)
	var before, after runtime.MemStats
	l.Meter = func() time.Duration { // called when the measuring begins and when it ends
		before = after
		runtime.ReadMemStats(&after)
		return 0
	}
	r, err := c.Echo(l)
	if err != nil {
		t.Fatal(err)
	}
	if n := after.Mallocs - before.Mallocs; r.Messages < 100 || n > r.Messages/20 {
		t.Errorf("%d allocations for %d messages", n, r.Messages)
	}
}
