package hub

import (
	"bytes"
	"context"
	"net/url"
	"strings"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/ws"
)

// Request is what is known of the request that became a connection. The hub keeps it as it is: nothing in it may
// change any more, or borrow memory that is used again.
type Request struct {
	// Head is the request line and the header fields as they were received.
	Head []byte
	// Params are the parameters of the route, unescaped.
	Params map[string]string
	// Locals are the values that earlier handlers left with the request.
	Locals map[string]any
	// Identity is who the client is; zero without authentication. At its Expires the connection is closed with 4007.
	Identity auth.Identity
	// Authenticate verifies the token of a message {"type":"auth","token":"..."}, by which a client renews its own: the
	// connection ends when the new one does. nil: such a message is one like any other. It is called by the goroutine
	// that reads.
	Authenticate func(ctx context.Context, token string) (auth.Identity, error)
	// AuthFirst says that Identity is not known yet: the client's first message has to be one with a token, within 5 s,
	// of at most 4 KiB, else the connection closes with 4001. Until then it is no member of anything, no handler hears
	// of it, OnOpen and OnClose neither, and [Hub.Len] does not count it; its Reservation does. Without
	// Authenticate nobody gets further.
	AuthFirst bool
	// Subprotocol is the one that was answered; "" for none.
	Subprotocol string
	// Extensions is what was answered to the client's, as [Hub.Extensions] has returned it; "" for none.
	Extensions string
	// IP is the client's address.
	IP string
	// Reservation is the place that was kept for the connection; nil: Serve takes one itself.
	Reservation *Reservation
	// Refusal closes the connection as soon as it is open, and nothing but the log and Over hears of it: for a client
	// that can read no other refusal. Optional.
	Refusal *ws.CloseError
	// Over is called once when the connection is over, or has not begun. Optional.
	Over func()
}

// target returns the request target of the request line.
func (r *Request) target() string {
	line, _, _ := bytes.Cut(r.Head, []byte("\r\n"))
	_, rest, _ := strings.Cut(string(line), " ")
	target, _, _ := strings.Cut(rest, " ")
	return target
}

func (r *Request) query(key string) (string, bool) {
	_, query, _ := strings.Cut(r.target(), "?")
	values, _ := url.ParseQuery(query) // what is wrong is left out
	if v := values[key]; len(v) > 0 {
		return v[0], true
	}
	return "", false
}

func (r *Request) header(key string) (string, bool) {
	_, rest, _ := bytes.Cut(r.Head, []byte("\r\n"))
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if ok && strings.EqualFold(string(name), key) {
			return string(bytes.Trim(value, " \t")), true
		}
	}
	return "", false
}

func (r *Request) cookie(key string) (string, bool) {
	line, _ := r.header("Cookie")
	for pair := range strings.SplitSeq(line, ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if ok && name == key {
			return strings.Trim(value, `"`), true
		}
	}
	return "", false
}

// Params returns a parameter of the route, unescaped; the default, or "", when there is none.
func (c *Conn) Params(key string, defaultValue ...string) string {
	v, ok := c.req.Params[key]
	return or(v, ok && v != "", defaultValue)
}

// Query returns the first query parameter of that name, unescaped; the default, or "", when there is none.
func (c *Conn) Query(key string, defaultValue ...string) string {
	v, ok := c.req.query(key)
	return or(v, ok, defaultValue)
}

// Header returns the first header field of that name, compared without case; the default, or "", when there is none.
func (c *Conn) Header(key string, defaultValue ...string) string {
	v, ok := c.req.header(key)
	return or(v, ok, defaultValue)
}

// Cookie returns the cookie of that name; the default, or "", when there is none.
func (c *Conn) Cookie(key string, defaultValue ...string) string {
	v, ok := c.req.cookie(key)
	return or(v, ok, defaultValue)
}

// Local returns what an earlier handler left with the request under that key, or nil.
func (c *Conn) Local(key string) any { return c.req.Locals[key] }

// IP returns the client's address, as the limits count it.
func (c *Conn) IP() string { return c.req.IP }

// Subprotocol returns the subprotocol that was answered, or "".
func (c *Conn) Subprotocol() string { return c.req.Subprotocol }

// Subject returns who the client is, from its token; "" without one.
func (c *Conn) Subject() string { return c.identity().Subject }

// Claims returns what the token says, to be read only; nil without one.
func (c *Conn) Claims() map[string]any { return c.identity().Claims }

func or(v string, ok bool, defaultValue []string) string {
	if !ok && len(defaultValue) > 0 {
		return defaultValue[0]
	}
	return v
}
