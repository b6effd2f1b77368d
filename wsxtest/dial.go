package wsxtest

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455, section 4.2.2
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Options are how to dial. The zero value is a plain handshake.
type Options struct {
	Header       http.Header // more fields for the request
	Subprotocols []string    // to offer
	TLS          *tls.Config // for wss; nil trusts anybody
	Dial         func() (net.Conn, error)
	// Faults are what goes wrong on the client's side once the handshake is done, from the first byte of the first
	// frame on; each is put around those before it, see [Faulty]. For faults in the handshake let Dial return a faulty
	// connection.
	Faults []Faults
}

// Dial connects to a ws:// or wss:// address and does the handshake; it fails the test when that is refused.
func Dial(tb testing.TB, address string, options ...Options) *Client {
	tb.Helper()
	c, resp, err := TryDial(tb, address, options...)
	if err != nil {
		tb.Fatalf("dialing %s: %v", address, err)
	}
	if c == nil {
		tb.Fatalf("dialing %s: %s", address, resp.Status)
	}
	return c
}

// TryDial is Dial that returns the server's answer; the client is nil when that is no 101. A 101 without the right
// Sec-WebSocket-Accept is an error.
func TryDial(tb testing.TB, address string, options ...Options) (*Client, *http.Response, error) {
	tb.Helper()
	var o Options
	if len(options) > 0 {
		o = options[0]
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, nil, err
	}
	nc, err := o.dial(u)
	if err != nil {
		return nil, nil, err
	}
	c := NewClient(tb, nc)
	challenge := newChallenge()
	if err := c.Raw(o.request(u, challenge)); err != nil {
		return nil, nil, err
	}
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	resp, err := http.ReadResponse(c.r, &http.Request{Method: http.MethodGet})
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, resp, nil
	}
	if err := checkAccept(resp.Header, challenge); err != nil {
		return nil, resp, err
	}
	c.spoil(o.Faults)
	return c, resp, nil
}

// newChallenge returns a value for Sec-WebSocket-Key (RFC 6455, section 4.1).
func newChallenge() string {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce)
	return base64.StdEncoding.EncodeToString(nonce)
}

// checkAccept checks that the server has read the challenge (RFC 6455, section 4.2.2).
func checkAccept(header http.Header, challenge string) error {
	sum := sha1.Sum([]byte(challenge + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // as the RFC says
	want := base64.StdEncoding.EncodeToString(sum[:])
	if got := header.Values("Sec-WebSocket-Accept"); len(got) != 1 || got[0] != want {
		return fmt.Errorf("wsxtest: the server answered Sec-WebSocket-Accept %q to the key %s, want %q (RFC 6455, section 4.2.2)",
			got, challenge, want)
	}
	return nil
}

func (o Options) dial(u *url.URL) (net.Conn, error) {
	if o.Dial != nil {
		return o.Dial()
	}
	if u.Scheme != "wss" {
		return net.DialTimeout("tcp", u.Host, patience)
	}
	cfg := o.TLS
	if cfg == nil {
		cfg = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // a test's own server
	}
	return tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", u.Host, cfg)
}

// request builds the request (RFC 6455, section 4.1).
func (o Options) request(u *url.URL, challenge string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", u.RequestURI(), u.Host)
	fmt.Fprintf(&b, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", challenge)
	if len(o.Subprotocols) > 0 {
		fmt.Fprintf(&b, "Sec-WebSocket-Protocol: %s\r\n", strings.Join(o.Subprotocols, ", "))
	}
	for name, values := range o.Header {
		for _, v := range values {
			fmt.Fprintf(&b, "%s: %s\r\n", name, v)
		}
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}

// Exchange writes a request as it is and returns the answer and what follows it, on a connection of its own.
func Exchange(tb testing.TB, address, request string) (*http.Response, *Client) {
	tb.Helper()
	nc, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		tb.Fatalf("dialing %s: %v", address, err)
	}
	c := &Client{tb: tb, conn: nc, r: bufio.NewReader(nc)}
	tb.Cleanup(func() { _ = nc.Close() })
	if err := c.Raw([]byte(request)); err != nil {
		tb.Fatalf("writing the request: %v", err)
	}
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	resp, err := http.ReadResponse(c.r, &http.Request{Method: http.MethodGet})
	if err != nil {
		tb.Fatalf("reading the response: %v", err)
	}
	return resp, c
}
