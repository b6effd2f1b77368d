package wsx_test

import (
	"strings"
	"testing"

	"github.com/fiberwsx/wsx"
)

// TestRequestTargets: what is no path and no URL is refused, and the host of a URL counts, not the Host field.
func TestRequestTargets(t *testing.T) {
	h := echoHub()
	app := newApp()
	app.Use(wsx.New(wsx.Config{Hub: h, Logger: quiet})) // without a path: a bad target is no path to anywhere
	addr := serve(t, app, h)
	for _, tt := range []struct {
		target, origin string
		status         int
	}{
		{"/", "", 101},
		{"/ws?a=b", "", 101},
		{"/\xc3\xa4?\xff", "", 101},
		{"/ws?next=http://a", "", 101},
		{"http://example.com/ws", "http://example.com", 101},
		{"HTTP://example.com:80", "http://example.com", 101},
		{"wss://other.example?a", "https://other.example", 101},
		{"http://evil.example/ws", "http://example.com", 403},
		{"http://evil.example/ws", "http://evil.example", 101},
		{"http://example.com:8080/", "http://example.com", 403},
		{"*", "", 400},
		{"ws", "", 400},
		{"?a", "", 400},
		{"example.com:80", "", 400},
		{"ftp://example.com/ws", "", 400},
		{"://example.com/ws", "", 400},
		{"http:///ws", "", 400},
		{"http:/ws", "", 400},
		{"http://user@example.com/ws", "", 400},
		{"http://a,b/ws", "", 400},
		{"/ws#x", "", 400},
		{" /ws", "", 400},
		{"/ws ", "", 400},
		{"/ws a", "", 400},
		{"/ws\ta", "", 400},
		{"/ws\ra", "", 400},
		{"/ws\x00a", "", 400},
		{"/ws\x1b[2J", "", 400},
		{"/ws\x7f", "", 400},
	} {
		request := strings.Replace(handshake("/TARGET"), "/TARGET", tt.target, 1)
		if tt.origin != "" {
			request = strings.Replace(handshake("/TARGET", "+Origin: "+tt.origin), "/TARGET", tt.target, 1)
		}
		if got := status(t, addr, request); got != tt.status {
			t.Errorf("%q from %q: got %d, want %d", tt.target, tt.origin, got, tt.status)
		}
	}
}
