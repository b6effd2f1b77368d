package conformance

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455, section 4.2.2
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// request is a handshake's request, to be made wrong field by field.
type request struct {
	method, target, version string
	fields                  []field
}

type field struct{ name, value string }

// sampleKey and sampleAccept are those of RFC 6455, section 1.3.
const (
	sampleKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	sampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// newRequest returns the request that every client may send.
func newRequest(s *Server) request {
	_, u, _ := s.target()
	r := request{method: http.MethodGet, target: u.RequestURI(), version: "HTTP/1.1", fields: []field{
		{"Host", u.Host},
		{"Upgrade", "websocket"},
		{"Connection", "Upgrade"},
		{"Sec-WebSocket-Version", "13"},
		{"Sec-WebSocket-Key", newKey()},
	}}
	for name, values := range s.Header {
		for _, v := range values {
			r.fields = append(r.fields, field{name, v})
		}
	}
	return r
}

func newKey() string {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce)
	return base64.StdEncoding.EncodeToString(nonce)
}

// set gives a field these values, one line each, where it stood; none removes it.
func (r *request) set(name string, values ...string) {
	at := slices.IndexFunc(r.fields, func(f field) bool { return strings.EqualFold(f.name, name) })
	r.fields = slices.DeleteFunc(r.fields, func(f field) bool { return strings.EqualFold(f.name, name) })
	if at < 0 {
		at = len(r.fields)
	}
	for i, v := range values {
		r.fields = slices.Insert(r.fields, at+i, field{name, v})
	}
}

// values returns those of a field.
func (r *request) values(name string) (values []string) {
	for _, f := range r.fields {
		if strings.EqualFold(f.name, name) {
			values = append(values, f.value)
		}
	}
	return values
}

func (r *request) bytes() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\r\n", r.method, r.target, r.version)
	for _, f := range r.fields {
		fmt.Fprintf(&b, "%s: %s\r\n", f.name, f.value)
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}

// accept returns the Sec-WebSocket-Accept of a key (RFC 6455, section 4.2.2).
func accept(key string) string {
	sum := sha1.Sum([]byte(strings.Trim(key, " \t") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // as the RFC says
	return base64.StdEncoding.EncodeToString(sum[:])
}

// connect opens a connection to the server.
func connect(s *Server) (*conn, error) {
	nc, err := s.dial()
	if err != nil {
		return nil, fmt.Errorf("connecting to the server: %w", err)
	}
	c := &conn{server: s, nc: nc, r: bufio.NewReader(nc)}
	c.patience()
	return c, nil
}

func (s *Server) dial() (net.Conn, error) {
	if s.Dial != nil {
		return s.Dial()
	}
	host, u, err := s.target()
	if err != nil {
		return nil, err
	}
	d := &net.Dialer{Timeout: s.Patience}
	if u.Scheme == "ws" {
		return d.Dial("tcp", host)
	}
	return tls.DialWithDialer(d, "tcp", host, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // a test's own server
}

// errEnded means that the server ended the connection instead of answering.
var errEnded = errors.New("the server ended the connection without an answer to the handshake")

// answer is the head of the response to a request.
type answer struct {
	code          int
	status, proto string
	header        http.Header
	chunked       bool
}

// answer reads the response to a request.
func (c *conn) answer(method string) (*answer, error) {
	c.patience()
	resp, err := http.ReadResponse(c.r, &http.Request{Method: method}) //nolint:bodyclose // the case closes the connection
	switch {
	case isTimeout(err):
		return nil, fmt.Errorf("no answer to the handshake within %v", c.server.Patience)
	case isEnd(err):
		return nil, errEnded
	case err != nil:
		return nil, fmt.Errorf("reading the answer to the handshake: %w", err)
	}
	return &answer{resp.StatusCode, resp.Status, resp.Proto, resp.Header, len(resp.TransferEncoding) > 0}, nil
}

// checkAnswer checks that a response accepts the request as RFC 6455 wants it.
func checkAnswer(r *request, a *answer) error {
	if a.code != http.StatusSwitchingProtocols {
		return fmt.Errorf("the server answered %q to a valid handshake, want 101", a.status)
	}
	if a.proto != "HTTP/1.1" {
		return fmt.Errorf("the server answered in %s", a.proto)
	}
	if got := a.header.Values("Upgrade"); len(got) != 1 || !strings.EqualFold(got[0], "websocket") {
		return fmt.Errorf("the answer's Upgrade is %q, want websocket", got)
	}
	if got := a.header.Values("Connection"); !slices.ContainsFunc(listed(got), isUpgradeToken) {
		return fmt.Errorf("the answer's Connection is %q, want it to name Upgrade", got)
	}
	want := accept(r.values("Sec-WebSocket-Key")[0])
	if got := a.header.Values("Sec-WebSocket-Accept"); len(got) != 1 || got[0] != want {
		return fmt.Errorf("the answer's Sec-WebSocket-Accept is %q, want %q", got, want)
	}
	if a.chunked || len(a.header.Values("Content-Length")) > 0 {
		return errors.New("the 101 has a Content-Length or a Transfer-Encoding, which RFC 9112, section 6, forbids")
	}
	return checkChoice(r, a.header)
}

// checkChoice checks that the server chose a subprotocol and extensions only from what was offered.
func checkChoice(r *request, header http.Header) error {
	protocols := header.Values("Sec-WebSocket-Protocol")
	switch {
	case len(protocols) > 1:
		return fmt.Errorf("the answer has several Sec-WebSocket-Protocol fields: %q", protocols)
	case len(protocols) == 1 && !slices.Contains(listed(r.values("Sec-WebSocket-Protocol")), protocols[0]):
		return fmt.Errorf("the answer's Sec-WebSocket-Protocol is %q, which was not offered", protocols[0])
	}
	for _, e := range listed(header.Values("Sec-WebSocket-Extensions")) {
		name, _, _ := strings.Cut(e, ";")
		offered := slices.ContainsFunc(listed(r.values("Sec-WebSocket-Extensions")), func(o string) bool {
			o, _, _ = strings.Cut(o, ";")
			return strings.TrimSpace(o) == strings.TrimSpace(name)
		})
		if !offered {
			return fmt.Errorf("the answer has the extension %q, which was not offered", e)
		}
	}
	return nil
}

func isUpgradeToken(s string) bool { return strings.EqualFold(s, "upgrade") }

// listed returns the elements of a list that may be spread over several lines.
func listed(lines []string) (elements []string) {
	for _, line := range lines {
		for e := range strings.SplitSeq(line, ",") {
			if e = strings.Trim(e, " \t"); e != "" {
				elements = append(elements, e)
			}
		}
	}
	return elements
}

// open does a handshake that has to succeed.
func open(s *Server, edit func(*request)) (*conn, *answer, error) {
	r := newRequest(s)
	if edit != nil {
		edit(&r)
	}
	c, err := connect(s)
	if err != nil {
		return nil, nil, err
	}
	c.send(r.bytes())
	resp, err := c.answer(r.method)
	if err == nil {
		err = checkAnswer(&r, resp)
	}
	if err != nil {
		_ = c.nc.Close()
		return nil, resp, err
	}
	return c, resp, nil
}
