package hub_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
)

const head = "GET /ws/a?name=J%C3%BCrgen+M&tag=one&tag=two&empty=&bad=%zz&flag HTTP/1.1\r\n" +
	"Host: example.com\r\n" +
	"X-Device:  dev42\t\r\n" +
	"x-device: second\r\n" +
	"X-Empty:\r\n" +
	"Cookie: session=abc; theme=\"dark\"; session=later;  spaced=1\r\n" +
	"\r\n"

func TestRequest(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing})
	s := connect(t, h, hub.Request{
		Head:        []byte(head),
		Params:      map[string]string{"room": "a/b", "blank": ""},
		Locals:      map[string]any{"user": 7},
		Identity:    auth.Identity{Subject: "ann", Claims: map[string]any{"admin": true}},
		Subprotocol: "wsx.v1",
		IP:          "192.0.2.1",
	})
	c := s.handle
	for _, row := range []struct{ what, got, want string }{
		{"param", c.Params("room"), "a/b"},
		{"missing param", c.Params("x"), ""},
		{"missing param with a default", c.Params("x", "d"), "d"},
		{"empty param with a default", c.Params("blank", "d"), "d"},
		{"escaped query", c.Query("name"), "Jürgen M"},
		{"repeated query", c.Query("tag"), "one"},
		{"empty query with a default", c.Query("empty", "d"), ""},
		{"query without a value", c.Query("flag", "d"), ""},
		{"malformed query", c.Query("bad", "d"), "d"},
		{"missing query", c.Query("x"), ""},
		{"missing query with a default", c.Query("x", "d"), "d"},
		{"header", c.Header("X-Device"), "dev42"},
		{"header in another case", c.Header("x-dEVICE"), "dev42"},
		{"empty header with a default", c.Header("X-Empty", "d"), ""},
		{"missing header with a default", c.Header("X-Other", "d"), "d"},
		{"the request line is no header", c.Header("GET /ws/a?name=J%C3%BCrgen+M&tag=one&tag=two&empty=&bad=%zz&flag HTTP/1.1"), ""},
		{"cookie", c.Cookie("session"), "abc"},
		{"quoted cookie", c.Cookie("theme"), "dark"},
		{"spaced cookie", c.Cookie("spaced"), "1"},
		{"missing cookie with a default", c.Cookie("x", "d"), "d"},
		{"address", c.IP(), "192.0.2.1"},
		{"subprotocol", c.Subprotocol(), "wsx.v1"},
		{"subject", c.Subject(), "ann"},
	} {
		want(t, row.what, row.got, row.want)
	}
	want(t, "local", c.Local("user"), any(7))
	want(t, "missing local", c.Local("x"), nil)
	want(t, "claims", maps.Equal(c.Claims(), map[string]any{"admin": true}), true)
}

// TestRequestOfNothing checks that a request without anything has no surprises.
func TestRequestOfNothing(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing})
	for _, head := range []string{"", "GET", "GET /\r\n", "\r\n\r\n", "GET /? HTTP/1.1\r\n:\r\nnocolon\r\n"} {
		c := connect(t, h, hub.Request{Head: []byte(head)}).handle
		got := []string{c.Params("a"), c.Query("a"), c.Header("a"), c.Cookie("a"), c.IP(), c.Subprotocol(), c.Subject()}
		if slices.ContainsFunc(got, func(s string) bool { return s != "" }) {
			t.Errorf("head %q: got %q", head, got)
		}
		want(t, "claims", c.Claims() == nil, true)
	}
}
