package wsxtest_test

import (
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// accept returns the fields that answer a request's challenge, right or wrong.
func accept(r *http.Request) string {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	field := "Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n"
	switch r.URL.Path {
	case "/none":
		return ""
	case "/other":
		return "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" // the RFC's own
	case "/small":
		return strings.ToLower(field)
	case "/twice":
		return field + field
	}
	return field
}

// upgrade answers as a server does; /no is refused, and /hello sends a message along with the answer.
func upgrade(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/no" {
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	nc, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	answer := "HTTP/1.1 101 Switching Protocols\r\nX-Asked: " + strings.Join([]string{
		r.Method, r.Proto, r.RequestURI, r.Header.Get("Connection"), r.Header.Get("Upgrade"), r.Header.Get("Sec-WebSocket-Version"),
		r.Header.Get("Sec-WebSocket-Protocol"), strings.Join(r.Header["X-More"], "+"),
	}, " ") + "\r\n" + accept(r) + "\r\n"
	if r.URL.Path == "/hello" {
		answer += "\x81\x05hello"
	}
	_, _ = io.WriteString(nc, answer)
	<-serveWire(nc)
}

func TestDial(t *testing.T) {
	plain, secure := httptest.NewServer(http.HandlerFunc(upgrade)), httptest.NewTLSServer(http.HandlerFunc(upgrade))
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	for _, server := range []*httptest.Server{plain, secure} {
		c := wsxtest.Dial(t, strings.Replace(server.URL, "http", "ws", 1)+"/echo")
		c.SendText("over " + server.URL)
		want(t, "echo", c.ReadText(), "over "+server.URL)
		c.Close()
	}
}

func TestTryDial(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(upgrade))
	t.Cleanup(server.Close)
	address := strings.Replace(server.URL, "http", "ws", 1)
	options := wsxtest.Options{Subprotocols: []string{"a", "b"}, Header: http.Header{"X-More": {"1", "2"}}}
	c, resp, err := wsxtest.TryDial(t, address+"/hello?q=1", options)
	must(t, err)
	want(t, "status", resp.StatusCode, http.StatusSwitchingProtocols)
	want(t, "request", resp.Header.Get("X-Asked"), "GET HTTP/1.1 /hello?q=1 Upgrade websocket 13 a, b 1+2")
	want(t, "message that came with the answer", c.ReadText(), "hello")
	c.Close()

	c, resp, err = wsxtest.TryDial(t, address+"/no")
	must(t, err)
	want(t, "client", c, nil)
	want(t, "status", resp.StatusCode, http.StatusForbidden)

	got := failure(t, func(tb testing.TB) { wsxtest.Dial(tb, address+"/no") })
	if !strings.Contains(got, "403") {
		t.Errorf("Dial failed with %q, want one that says 403", got)
	}
}

func TestDialChecksTheAccept(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(upgrade))
	t.Cleanup(server.Close)
	address := strings.Replace(server.URL, "http", "ws", 1)
	for _, path := range []string{"/none", "/other", "/small", "/twice"} {
		c, resp, err := wsxtest.TryDial(t, address+path)
		if c != nil || err == nil || !strings.Contains(err.Error(), "Sec-WebSocket-Accept") {
			t.Errorf("%s: got %v, want no client and an error that names the field", path, err)
		}
		want(t, path, resp.StatusCode, http.StatusSwitchingProtocols)
		got := failure(t, func(tb testing.TB) { wsxtest.Dial(tb, address+path) })
		if !strings.Contains(got, "Sec-WebSocket-Accept") {
			t.Errorf("%s: Dial failed with %q", path, got)
		}
	}
}

func TestTryDialErrors(t *testing.T) {
	mute := wsxtest.Options{Dial: func() (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			_, _ = server.Read(make([]byte, 4096))
			_ = server.Close()
		}()
		return client, nil
	}}
	if _, _, err := wsxtest.TryDial(t, "ws://in.memory/", mute); err == nil {
		t.Error("a server that hangs up: got no error")
	}
	if _, _, err := wsxtest.TryDial(t, "ws://[::1"); err == nil {
		t.Error("an address that is none: got no error")
	}
	refuse := wsxtest.Options{Dial: func() (net.Conn, error) { return nil, net.ErrClosed }}
	if _, _, err := wsxtest.TryDial(t, "ws://in.memory/", refuse); err == nil {
		t.Error("a dial that fails: got no error")
	}
}

func TestExchange(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(upgrade))
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	resp, c := wsxtest.Exchange(t, address, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
	want(t, "status", resp.StatusCode, http.StatusSwitchingProtocols)
	want(t, "message", c.ReadText(), "hello")
	c.SendClose(ws.StatusNormalClosure, "")
	want(t, "close", c.ReadClose().Status, ws.StatusNormalClosure)
	resp, _ = wsxtest.Exchange(t, address, "rubbish\r\n\r\n")
	want(t, "status", resp.StatusCode, http.StatusBadRequest)
}
