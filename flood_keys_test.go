package wsx_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth/jwt"
)

// spoofer is a proxy's connection on which one handshake comes after the other, each from an address of its own and
// without a token, and that counts the answers.
type spoofer struct {
	begun     []byte // a request up to its last field
	next, end int    // addresses
	rest      []byte
	answers   map[string]int
}

func (s *spoofer) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.next == s.end {
			return 0, io.EOF
		}
		a := s.next
		s.next++
		s.rest = fmt.Appendf(s.begun[:0:0], "%sX-Forwarded-For: 10.%d.%d.%d\r\n\r\n", s.begun, a>>16&0xFF, a>>8&0xFF, a&0xFF)
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *spoofer) Write(p []byte) (int, error) {
	for rest := p; ; {
		i := bytes.Index(rest, []byte("HTTP/1.1 "))
		if i < 0 {
			return len(p), nil
		}
		rest = rest[i+len("HTTP/1.1 "):]
		s.answers[strings.Clone(string(rest[:min(3, len(rest))]))]++
	}
}

func (s *spoofer) Close() error                     { return nil }
func (s *spoofer) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }
func (s *spoofer) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4000} }
func (s *spoofer) SetDeadline(time.Time) error      { return nil }
func (s *spoofer) SetReadDeadline(time.Time) error  { return nil }
func (s *spoofer) SetWriteDeadline(time.Time) error { return nil }

// TestAFloodOfSpoofedKeys has handshakes come from more addresses than the limiter remembers: those that are new pass
// it, those that come again do not, and the memory stops growing. Where all takes longer it stays below that number.
func TestAFloodOfSpoofedKeys(t *testing.T) {
	const remembered, kept = 65_536, 24 << 20
	addresses := most(200_000, 20_000)
	app := newApp()
	app.Use("/ws", wsx.New(wsx.Config{
		Hub: echoHub(), Logger: slog.New(slog.DiscardHandler), Auth: jwt.HMAC(key),
		TrustedProxies: []string{"127.0.0.1"}, HandshakeRate: 0.001, HandshakeBurst: 1,
	}))
	app.Handler() // before ServeConn needs it
	begun := []byte(strings.TrimSuffix(handshake("/ws"), "\r\n"))
	from := func(first, end int) map[string]int {
		s := &spoofer{begun: begun, next: first, end: end, answers: make(map[string]int)}
		if err := app.Server().ServeConn(s); err != nil {
			t.Fatal(err)
		}
		return s.answers
	}
	from(0, 100)
	before := heap()
	if got := from(100, addresses); got["401"] != addresses-100 {
		t.Errorf("%d addresses that are new were answered with %v", addresses-100, got)
	}
	if now := heap(); now > before+kept {
		t.Errorf("the heap grew from %d to %d KiB", before>>10, now>>10)
	}
	const again = 1000
	if got := from(addresses-again, addresses); got["429"] != again {
		t.Errorf("%d addresses that come again were answered with %v", again, got)
	}
	if addresses < remembered+again {
		return
	}
	if got := from(0, again); got["401"] != again { // forgotten, and so full again
		t.Errorf("%d addresses that %d others came after were answered with %v", again, remembered, got)
	}
}
