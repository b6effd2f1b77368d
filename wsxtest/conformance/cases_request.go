package conformance

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// set returns the edit that gives a field these values, one line each; none removes it.
func set(name string, values ...string) func(*request) {
	return func(r *request) { r.set(name, values...) }
}

// requestCases are handshakes that look unusual and are right.
func requestCases() []Case {
	all := []Case{
		accepted("4.1", "as-browsers-do", func(r *request) {
			r.set("Connection", "keep-alive, Upgrade")
			r.set("User-Agent", "Mozilla/5.0")
			r.set("Cache-Control", "no-cache")
		}),
		accepted("4.2.1", "field-names-in-small-letters", rename(strings.ToLower)),
		accepted("4.2.1", "field-names-in-capitals", rename(strings.ToUpper)),
		accepted("4.2.1", "fields-in-another-order", func(r *request) { slices.Reverse(r.fields) }),
		accepted("4.2.1", "absolute-URI", func(r *request) { r.target = "http://" + r.values("Host")[0] + r.target }),
		accepted("4.2.1", "two-Upgrade-lines", set("Upgrade", "h2c", "websocket")),
		accepted("4.2.1", "padded-version", set("Sec-WebSocket-Version", "  13 \t")),
		accepted("4.2.1", "bytes-over-0x7f-in-a-value", set("X-Name", "h\xc3\xa4\xdflich")),
		accepted("4.2.1", "empty-field", set("X-Empty", "")),
		accepted("4.2.1", "twenty-more-fields", func(r *request) {
			for i := range 20 {
				r.set(fmt.Sprintf("X-Field-%d", i), strings.Repeat("v", 40))
			}
		}),
		accepted("4.2.2", "subprotocols-on-two-lines", set("Sec-WebSocket-Protocol", "conformance.a", "conformance.b, conformance.c")),
		accepted("4.2.2", "subprotocol-that-nobody-knows", set("Sec-WebSocket-Protocol", "conformance.unknown")),
		accepted("9.1", "unknown-extension", set("Sec-WebSocket-Extensions", "x-conformance")),
		accepted("9.1", "unknown-extension-with-parameters", set("Sec-WebSocket-Extensions", `x-conformance; a; b=c; d="e"`)),
		accepted("9.1", "unknown-extensions-on-two-lines", set("Sec-WebSocket-Extensions", "x-conformance-a", "x-conformance-b, x-conformance-c")),
	}
	for name, value := range map[string]string{
		"in-capitals": "WEBSOCKET", "in-mixed-case": "WebSocket", "after-another": "h2c, websocket",
		"before-another": "websocket, h2c", "with-tabs": "\twebsocket\t", "with-empty-elements": ", websocket,,",
	} {
		all = append(all, accepted("4.2.1", "Upgrade-"+name, set("Upgrade", value)))
	}
	for name, lines := range map[string][]string{
		"in-small-letters": {"upgrade"}, "in-capitals": {"UPGRADE"}, "last-of-a-list": {"keep-alive, Upgrade"},
		"first-of-a-list": {"Upgrade, keep-alive"}, "without-spaces": {"keep-alive,Upgrade,x"}, "with-tabs": {"keep-alive\t,\tUpgrade"},
		"with-empty-elements": {",, Upgrade ,"}, "on-the-second-line": {"keep-alive", "Upgrade"},
		"on-the-first-line": {"Upgrade", "keep-alive"}, "on-the-middle-line": {"x", "y, Upgrade, z", "keep-alive"},
	} {
		all = append(all, accepted("4.2.1", "Connection-"+name, set("Connection", lines...)))
	}
	return all
}

func rename(f func(string) string) func(*request) {
	return func(r *request) {
		for i := range r.fields {
			r.fields[i].name = f(r.fields[i].name)
		}
	}
}

// keyCases are challenges and what has to become of them.
func keyCases() (all []Case) {
	for name, key := range map[string]string{
		"of-the-RFC": sampleKey, "of-zeros": "AAAAAAAAAAAAAAAAAAAAAA==", "of-ones": "/////////////////////w==",
		"with-plus-and-slash": "+/+/+/+/+/+/+/+/+/+/+w==", "padded": "  \t" + sampleKey + " \t",
		"that-counts": "AQIDBAUGBwgJCgsMDQ4PEA==",
	} {
		all = append(all, accepted("4.2.2", "key-"+name, set("Sec-WebSocket-Key", key)))
	}
	for i := range 4 {
		all = append(all, accepted("4.2.2", fmt.Sprintf("random-key-%d", i+1), set("Sec-WebSocket-Key", newKey())))
	}
	return all
}

// notSwitched accepts any answer but a 101: the request asks for no WebSocket.
func notSwitched(resp *answer) error {
	if resp.code < 200 {
		return fmt.Errorf("the server answered %q to what is no handshake", resp.status)
	}
	return nil
}

// refusal accepts an answer that says that the request is wrong.
func refusal(resp *answer) error {
	if resp.code < 400 || resp.code > 499 {
		return fmt.Errorf("the server answered %q, want a status of 400 to 499", resp.status)
	}
	return nil
}

// refusedCases are requests that are no valid handshake.
func refusedCases() []Case {
	all := slices.Concat(keyCases(), badKeyCases(), malformedCases())
	for name, edit := range map[string]func(*request){
		"no-Upgrade": set("Upgrade"), "empty-Upgrade": set("Upgrade", ""), "another-Upgrade": set("Upgrade", "h2c"),
		"Upgrade-websockets": set("Upgrade", "websockets"), "Upgrade-in-two-words": set("Upgrade", "web socket"),
		"no-Connection": set("Connection"), "empty-Connection": set("Connection", ""),
		"Connection-keep-alive": set("Connection", "keep-alive"), "Connection-upgrades": set("Connection", "Upgrades"),
		"Connection-upgrade-in-a-longer-word": set("Connection", "x-upgrade"), "Connection-in-two-words": set("Connection", "keep-alive Upgrade"),
	} {
		all = append(all, rejected("4.2.1", name, notSwitched, edit))
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "get"} {
		all = append(all, rejected("4.2.1", "method-"+method, notSwitched, func(r *request) { r.method = method }))
	}
	return append(all, rejected("4.2.1", "HTTP-1.0", notSwitched, func(r *request) { r.version = "HTTP/1.0" }))
}

func badKeyCases() (all []Case) {
	for name, lines := range map[string][]string{
		"missing": nil, "empty": {""}, "of-spaces": {"   "}, "of-15-bytes": {"AQIDBAUGBwgJCgsMDQ4P"},
		"of-17-bytes": {"AQIDBAUGBwgJCgsMDQ4PEBE="}, "of-1-byte": {"AQ=="}, "of-24-bytes": {"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"},
		"not-base64": {"dGhlIHNhbXBsZSBub25j!!=="}, "without-padding": {"dGhlIHNhbXBsZSBub25jZQ"},
		"with-too-much-padding": {sampleKey + "="}, "with-a-space-inside": {"dGhlIHNhbXBs ZSBub25jZQ=="}, "twice": {sampleKey, sampleKey},
		"twice-and-different": {sampleKey, "AQIDBAUGBwgJCgsMDQ4PEA=="}, "in-a-list": {sampleKey + ", " + sampleKey},
		"in-quotes": {`"` + sampleKey + `"`}, "cut-by-a-NUL": {"dGhlIHNhbXBsZSBub25jZQ\x00=="},
	} {
		all = append(all, rejected("4.2.1", "key-"+name, refusal, set("Sec-WebSocket-Key", lines...)))
	}
	return all
}

// versionCases are versions that there are not; the answer has to say which there is.
func versionCases() (all []Case) {
	for name, lines := range map[string][]string{
		"0": {"0"}, "7": {"7"}, "8": {"8"}, "12": {"12"}, "14": {"14"}, "25": {"25"}, "255": {"255"}, "130": {"130"},
		"with-a-leading-zero": {"013"}, "with-a-sign": {"+13"}, "with-a-fraction": {"13.0"}, "in-letters": {"thirteen"},
		"missing": nil, "empty": {""}, "in-a-list": {"13, 8"}, "in-a-list-the-other-way-round": {"8, 13"},
		"twice": {"13", "13"}, "twice-and-different": {"13", "8"}, "twice-the-other-way-round": {"8", "13"},
	} {
		section, v := "4.2.1", refusal
		if len(lines) == 1 && !strings.Contains(lines[0], ",") && lines[0] != "" {
			section, v = "4.4", namesVersion
		}
		all = append(all, rejected(section, "version-"+name, v, set("Sec-WebSocket-Version", lines...)))
	}
	return all
}

// namesVersion accepts a refusal that names version 13.
func namesVersion(resp *answer) error {
	if err := refusal(resp); err != nil {
		return err
	}
	if versions := listed(resp.header.Values("Sec-WebSocket-Version")); !slices.Contains(versions, "13") {
		return fmt.Errorf("the refusal's Sec-WebSocket-Version is %q, want it to name 13", versions)
	}
	return nil
}

// malformedCases are requests that RFC 9112 wants to be refused, so that the handshake does not get as far.
func malformedCases() []Case {
	all := []Case{
		rejected("4.2.1", "no-Host", refusal, set("Host")),
		rejected("4.2.1", "two-Hosts", refusal, func(r *request) { r.set("Host", r.values("Host")[0], r.values("Host")[0]) }),
		rejected("4.2.1", "two-Hosts-that-differ", refusal, func(r *request) { r.set("Host", r.values("Host")[0], "example.com") }),
		rejected("4.2.1", "space-before-a-colon", refusal, rename(func(name string) string {
			return strings.Replace(name, "Sec-WebSocket-Key", "Sec-WebSocket-Key ", 1)
		})),
		rejected("4.2.1", "space-within-a-name", refusal, func(r *request) { r.set("X Name", "value") }),
		rejected("4.2.1", "field-without-a-name", refusal, func(r *request) { r.set("", "value") }),
	}
	for name, b := range map[string]string{"NUL": "\x00", "a-bare-CR": "\r", "a-bare-LF": "\n", "a-bell": "\a", "DEL": "\x7f"} {
		for _, f := range []string{"Connection", "Upgrade", "Sec-WebSocket-Version", "Sec-WebSocket-Key"} {
			v := refusal
			if f == "Connection" || f == "Upgrade" { // with it in there the request may be no handshake at all
				v = notSwitched
			}
			all = append(all, rejected("4.2.1", name+"-in-"+f, v, func(r *request) {
				value := r.values(f)[0]
				r.set(f, value[:1]+b+value[1:])
				r.set("X-Last", "a parser that looks for a colon finds one")
			}))
		}
	}
	return all
}

// firstPacketCases are about when the bytes of the handshake come.
func firstPacketCases() []Case {
	return []Case{
		handshakeIn("4.1", "handshake-byte-by-byte", 1, nil, (*conn).answers),
		handshakeIn("4.1", "handshake-in-pieces-of-7", 7, nil, (*conn).answers),
		handshakeIn("4.1", "ping-in-the-handshakes-own-packet", 1<<20, ping("early"), func(c *conn) { c.wantPong("early") }),
		handshakeIn("4.1", "text-in-the-handshakes-own-packet", 1<<20, text("early"), func(c *conn) { c.wantText("early") }).echo(),
		handshakeIn("4.1", "messages-in-the-handshakes-own-packet", 1<<20, slices.Concat(text("one"), blob(pattern(1000)), begin("thr"), end("ee")),
			func(c *conn) { c.wantText("one"); c.wantBlob(pattern(1000)); c.wantText("three") }).echo(),
		handshakeIn("4.1", "start-of-a-frame-in-the-handshakes-own-packet", 1<<20, text("divided")[:4],
			func(c *conn) { c.send(text("divided")[4:]); c.wantText("divided") }).echo(),
		handshakeIn("4.1", "violation-in-the-handshakes-own-packet", 1<<20, end("nothing"), func(c *conn) { c.wantClose(1002) }),
		handshakeIn("4.1", "close-in-the-handshakes-own-packet", 1<<20, bye(1000, ""), func(c *conn) { c.closed(1000) }),
		{Section: "4.2.1", Name: "field-of-1-MiB-does-not-hang", run: oversized},
	}
}

// handshakeIn sends the handshake and what follows it in pieces of n bytes.
func handshakeIn(section, name string, n int, then []byte, run func(c *conn)) Case {
	return Case{Section: section, Name: name, run: func(s *Server) error {
		r := newRequest(s)
		c, err := connect(s)
		if err != nil {
			return err
		}
		defer c.nc.Close()
		c.sendBytes(append(r.bytes(), then...), n)
		resp, err := c.answer(r.method)
		if err != nil {
			return err
		}
		if err := checkAnswer(&r, resp); err != nil {
			return err
		}
		return c.conclude(run)
	}}
}

// oversized lets the server accept or refuse a field that is very long, or end the connection. It must not wait.
func oversized(s *Server) error {
	r := newRequest(s)
	r.set("X-Long", strings.Repeat("x", 1<<20))
	err := ask(s, r.method, r.bytes(), func(resp *answer) error {
		if resp.code == http.StatusSwitchingProtocols {
			return nil
		}
		return refusal(resp)
	})
	if errors.Is(err, errEnded) {
		return nil
	}
	return err
}

// answerCases check the answer to a handshake that has nothing of its own. They stand for every case, which all check
// it too.
func answerCases() []Case {
	return []Case{
		exchange("4.2.2", "answer", func(*conn) {}),
		exchangeAfter("4.2.2", "answer-to-two-subprotocols-is-one-of-them", set("Sec-WebSocket-Protocol", "conformance.a, conformance.b"), func(*conn) {}),
	}
}
