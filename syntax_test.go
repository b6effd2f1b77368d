package wsx_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestValidHandshakes are requests that look unusual and are right.
func TestValidHandshakes(t *testing.T) {
	addr, _ := serveEcho(t, wsx.Config{})
	for name, request := range map[string]string{
		"as browsers do":               handshake("/ws", "Connection: keep-alive, Upgrade"),
		"another case":                 handshake("/ws", "Connection: uPGRADE", "Upgrade: WebSocket"),
		"names in another case":        strings.NewReplacer("Sec-WebSocket", "sEC-wEBsOCKET", "Host", "hOST", "Upgrade:", "uPGRADE:", "Connection:", "cONNECTION:").Replace(handshake("/ws")),
		"several Connection lines":     handshake("/ws", "Connection: keep-alive", "+Connection: Upgrade"),
		"several the other way round":  handshake("/ws", "Connection: Upgrade", "+Connection: keep-alive"),
		"several Upgrade lines":        handshake("/ws", "Upgrade: h2c", "+Upgrade: websocket"),
		"a list of upgrades":           handshake("/ws", "Upgrade: h2c, websocket"),
		"empty list elements":          handshake("/ws", "Connection: ,, Upgrade ,", "Upgrade: ,websocket"),
		"Connection: Upgrade, close":   handshake("/ws", "Connection: Upgrade, close"),
		"Connection: close in a line":  handshake("/ws", "Connection: Upgrade", "+Connection: close"),
		"tabs around the values":       handshake("/ws", "Connection:\tkeep-alive,\tUpgrade\t", "Upgrade:\twebsocket\t"),
		"no space after the colon":     handshake("/ws", "Connection:Upgrade", "Upgrade:websocket", "Host:example.com"),
		"padded key":                   handshake("/ws", "Sec-WebSocket-Key:  \t dGhlIHNhbXBsZSBub25jZQ==\t "),
		"padded version":               handshake("/ws", "Sec-WebSocket-Version:   13 "),
		"an unknown extension":         handshake("/ws", "+Sec-WebSocket-Extensions: x-unknown; a=b, permessage-deflate"),
		"bytes over 0x7f in a value":   handshake("/ws", "+X-Name: h\xc3\xa4\xdflich"),
		"an empty field":               handshake("/ws", "+X-Empty:"),
		"IPv6 and port in the Host":    handshake("/ws", "Host: [2001:db8::1]:8080"),
		"a whole URL as the target":    handshake("GET http://example.com/ws HTTP/1.1"),
		"IPv6 alone in the Host":       handshake("/ws", "Host: [2001:db8::1]"),
		"IPv4 and port in the Host":    handshake("/ws", "Host: 192.0.2.1:65535"),
		"an empty port in the Host":    handshake("/ws", "Host: example.com:"),
		"an underscore in the Host":    handshake("/ws", "Host: my_service-1.internal:80"),
		"an escape in the Host":        handshake("/ws", "Host: b%C3%BCcher.example"),
		"websocket before another":     handshake("/ws", "Upgrade: websocket, h2c"),
		"a body of a known length":     handshake("/ws", "+Content-Length: 5") + "\x81\x80abc",
		"a body of no length":          handshake("/ws", "+Content-Length: 0"),
		"a body in chunks":             handshake("/ws", "+Transfer-Encoding: Chunked") + "5\r\nhello\r\n0\r\n\r\n",
		"an expectation nobody knows":  handshake("/ws", "+Expect: the worst"),
		"empty lines in front":         "\r\n\r\n" + handshake("/ws"),
		"subprotocols in two lines":    handshake("/ws", "+Sec-WebSocket-Protocol: a, b", "+Sec-WebSocket-Protocol: c,A"),
		"a query":                      handshake("/ws?a=b&c"),
		"further path under the route": handshake("/ws/further/down"),
	} {
		t.Run(name, func(t *testing.T) {
			resp, c := wsxtest.Exchange(t, addr, request)
			if resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("got %s", resp.Status)
			}
			for name, want := range map[string]string{
				"Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Upgrade": "websocket", "Connection": "Upgrade",
				"Sec-WebSocket-Extensions": "", "Sec-WebSocket-Protocol": "", "Content-Type": "", "Content-Length": "",
			} {
				if got := strings.Join(resp.Header.Values(name), "; "); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
			c.SendText("hello")
			if got := c.ReadText(); got != "hello" {
				t.Errorf("got %q", got)
			}
			c.Close()
		})
	}
}

// TestMalformedHandshakes are header sections that RFC 9112 forbids. It does not matter whether this package or
// fasthttp refuses them.
func TestMalformedHandshakes(t *testing.T) {
	h := echoHub()
	app := newApp()
	app.Use(wsx.New(wsx.Config{Hub: h, Logger: quiet})) // without a path: a bad Host is no path to anywhere
	addr := serve(t, app, h)
	good := handshake("/ws")
	if got := status(t, addr, good); got != http.StatusSwitchingProtocols {
		t.Fatalf("the good one: %d", got)
	}
	eventually(t, "the good one is over", func() bool { return h.Stats().Closed == 1 })
	for name, request := range map[string]string{
		"space before the colon":              handshake("/ws", "+X-Name : value"),
		"tab before the colon":                handshake("/ws", "+X-Name\t: value"),
		"space before the colon of Upgrade":   strings.Replace(good, "Upgrade:", "Upgrade :", 1),
		"space before the colon of the key":   strings.Replace(good, "Key:", "Key :", 1),
		"space before the colon of Host":      strings.Replace(good, "Host:", "Host :", 1),
		"no name":                             handshake("/ws", "+: value"),
		"no colon":                            strings.Replace(good, "Host:", "X-Name\r\nHost:", 1),
		"space in a name":                     handshake("/ws", "+X Name: value"),
		"line folding":                        handshake("/ws", "+X-Name: a\r\n b"),
		"line folding with a tab":             handshake("/ws", "+X-Name: a\r\n\tb: c"),
		"line folding of Connection":          strings.Replace(good, "Connection: Upgrade", "Connection: Upgrade,\r\n close", 1),
		"line folding of Upgrade":             strings.Replace(good, "Upgrade: websocket", "Upgrade:\r\n websocket", 1),
		"a carriage return in such a line":    strings.Replace(good, "Upgrade: websocket", "Upgrade:\r\n websock\ret", 1),
		"line folding of Host":                strings.Replace(good, "Host: example.com", "Host:\r\n example.com", 1),
		"folding in the first line":           strings.Replace(good, "Host: ", " Host: ", 1),
		"bare line feed after a field":        strings.Replace(good, "13\r\n", "13\n", 1),
		"bare line feed after Host":           strings.Replace(good, "example.com\r\n", "example.com\n", 1),
		"bare line feed after Upgrade":        strings.Replace(good, "websocket\r\n", "websocket\n", 1),
		"bare line feed after Connection":     strings.Replace(good, "Connection: Upgrade\r\n", "Connection: Upgrade\n", 1),
		"bare line feed after everything":     strings.ReplaceAll(good, "\r\n", "\n"),
		"bare carriage return in a value":     handshake("/ws", "+X-Name: a\rb"),
		"carriage return at a value's end":    handshake("/ws", "+X-Name: a\r"),
		"NUL in a value":                      handshake("/ws", "+X-Name: a\x00b"),
		"NUL in the key":                      strings.Replace(good, "==\r\n", "==\x00\r\n", 1),
		"escape in a value":                   handshake("/ws", "+X-Name: a\x1b[0m"),
		"DEL in a value":                      handshake("/ws", "+X-Name: a\x7f"),
		"control byte in a name":              handshake("/ws", "+X-\x01Name: a"),
		"a name that is not ASCII":            handshake("/ws", "+X-N\xc3\xa4me: a"),
		"a list of Hosts":                     handshake("/ws", "Host: example.com, evil.example"),
		"a path in the Host":                  handshake("/ws", "Host: example.com/x"),
		"a space in the Host":                 handshake("/ws", "Host: example.com x"),
		"a query in the Host":                 handshake("/ws", "Host: example.com?x"),
		"a Host that is not ASCII":            handshake("/ws", "Host: ex\xc3\xa4mple.com"),
		"two Hosts, one of them empty":        handshake("/ws", "+Host:"),
		"a Host that begins a bracket":        handshake("/ws", "Host: [2001:db8::1"),
		"a Host that ends a bracket":          handshake("/ws", "Host: 2001:db8::1]"),
		"IPv6 in the Host without brackets":   handshake("/ws", "Host: 2001:db8::1"),
		"IPv4 in brackets in the Host":        handshake("/ws", "Host: [192.0.2.1]"),
		"nothing in brackets in the Host":     handshake("/ws", "Host: []"),
		"a zone in the Host":                  handshake("/ws", "Host: [fe80::1%25eth0]"),
		"more behind the brackets":            handshake("/ws", "Host: [2001:db8::1]x"),
		"a port alone in the Host":            handshake("/ws", "Host: :80"),
		"a port that is a name":               handshake("/ws", "Host: example.com:http"),
		"a port that is signed":               handshake("/ws", "Host: example.com:+80"),
		"a port that there is not":            handshake("/ws", "Host: example.com:65536"),
		"two ports":                           handshake("/ws", "Host: example.com:80:80"),
		"a bad escape in the Host":            handshake("/ws", "Host: example%2.com"),
		"two lengths":                         handshake("/ws", "+Content-Length: 0", "+Content-Length: 1"),
		"the same length twice":               handshake("/ws", "+Content-Length: 0", "+Content-Length: 0"),
		"a list of lengths":                   handshake("/ws", "+Content-Length: 0, 0"),
		"a negative length":                   handshake("/ws", "+Content-Length: -1"),
		"a signed length":                     handshake("/ws", "+Content-Length: +0"),
		"a length in hex":                     handshake("/ws", "+Content-Length: 0x0"),
		"a length of more than 64 bits":       handshake("/ws", "+Content-Length: 18446744073709551616"),
		"a length and chunks":                 handshake("/ws", "+Content-Length: 5", "+Transfer-Encoding: chunked") + "0\r\n\r\n",
		"chunks and a length":                 handshake("/ws", "+Transfer-Encoding: chunked", "+Content-Length: 5") + "0\r\n\r\n",
		"chunks twice":                        handshake("/ws", "+Transfer-Encoding: chunked", "+Transfer-Encoding: chunked") + "0\r\n\r\n",
		"chunks of chunks":                    handshake("/ws", "+Transfer-Encoding: chunked, chunked") + "0\r\n\r\n",
		"identity and chunks":                 handshake("/ws", "+Transfer-Encoding: identity", "+Transfer-Encoding: chunked") + "0\r\n\r\n",
		"identity":                            handshake("/ws", "+Transfer-Encoding: identity"),
		"a coding that is none":               handshake("/ws", "+Transfer-Encoding: xchunked"),
		"an empty coding":                     handshake("/ws", "+Transfer-Encoding:"),
		"no version of HTTP":                  handshake("GET /ws "),
		"HTTP/0.9":                            "GET /ws\r\n\r\n",
		"http in small":                       handshake("GET /ws http/1.1"),
		"HTTP/1x1":                            handshake("GET /ws HTTP/1x1"),
		"HTTP/1.10":                           handshake("GET /ws HTTP/1.10"),
		"HTTP/3.0":                            handshake("GET /ws HTTP/3.0"),
		"a version of HTTP that there is not": handshake("GET /ws HTTP/1.2"),
	} {
		if got := status(t, addr, request); got != http.StatusBadRequest {
			t.Errorf("%s: got %d, want 400", name, got)
		}
	}
	if n := h.Stats().Opened; n != 1 {
		t.Errorf("%d connections opened, want the good one alone", n)
	}
}

func TestFramesInTheHandshakesOwnPacket(t *testing.T) {
	addr, _ := serveEcho(t, wsx.Config{}, hub.Config{Rate: -1})
	request := []byte(handshake("/ws"))
	for _, s := range []string{"one", "two", strings.Repeat("x", 1000)} {
		request = wsxtest.AppendFrame(request, true, opText, []byte(s))
	}
	request = append(request, 0x81) // and the start of one more
	resp, c := wsxtest.Exchange(t, addr, string(request))
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %s", resp.Status)
	}
	for _, want := range []string{"one", "two", strings.Repeat("x", 1000)} {
		if got := c.ReadText(); got != want {
			t.Errorf("got %.20q, want %.20q", got, want)
		}
	}
	rest := wsxtest.AppendFrame(nil, true, opText, []byte("three"))
	if err := c.Raw(rest[1:]); err != nil {
		t.Fatal(err)
	}
	if got := c.ReadText(); got != "three" {
		t.Errorf("got %q, want %q", got, "three")
	}
	c.Close()
}
