package wsx

import (
	"bufio"
	"net"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// FuzzHandshake compares the parser with three others: regular expressions that say what a header section is,
// net/textproto on what is well-formed, and fasthttp, whose notion of an upgrade other handlers go by.
func FuzzHandshake(f *testing.F) {
	for _, seed := range []string{
		"Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		"Host: a\r\nHost: b\r\n\r\n",
		"upgrade: h2c, WebSocket\r\nconnection: keep-alive\r\nConnection: upgrade\r\n\r\n",
		"Sec-WebSocket-Protocol: a, b\r\nsec-websocket-protocol: c\r\n\r\n",
		"Host : a\r\n\r\n", "Host: a\nUpgrade: websocket\n\n", "Host: a\r\n folded\r\n\r\n", "X: \x00\r\n\r\n", ":\r\n\r\n", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		h := parseHandshake([]byte(raw))
		fields, malformed := readNaively(raw)
		compareNaively(t, h, fields, malformed)
		compareTextproto(t, h, raw)
		compareFasthttp(t, h, raw)
	})
}

var (
	fieldLine = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\\x00-\\x08\\x0a-\\x1f\\x7f]*?)[ \t]*$")
	token     = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	wsKey     = regexp.MustCompile("^[0-9A-Za-z+/]{22}==$")
	hostPort  = regexp.MustCompile(`^(?:\[([0-9A-Fa-f:.]+)\]|(?:[0-9A-Za-z._~!$&'()*+;=-]|%[0-9A-Fa-f]{2})+)(?::([0-9]*))?$`)
)

// readNaively returns the values of each field, by its name in small letters, and whether anything else is there.
func readNaively(raw string) (fields map[string][]string, malformed bool) {
	fields = make(map[string][]string)
	lines := strings.SplitAfter(raw, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for i, line := range lines {
		if line == "\r\n" && i == len(lines)-1 {
			break
		}
		m := fieldLine.FindStringSubmatch(strings.TrimSuffix(line, "\r\n"))
		if m == nil {
			malformed = true
			continue
		}
		name := strings.ToLower(m[1])
		fields[name] = append(fields[name], m[2])
	}
	codings := fields["transfer-encoding"]
	malformed = malformed || len(codings)+len(fields["content-length"]) > 1 ||
		slices.ContainsFunc(codings, func(c string) bool { return !is("chunked")(c) })
	return fields, malformed
}

func compareNaively(t *testing.T, h handshake, fields map[string][]string, malformed bool) {
	t.Helper()
	if h.malformed != malformed {
		t.Errorf("malformed: %v, want %v", h.malformed, malformed)
	}
	compareFields(t, h, fields)
	offered := split(fields["sec-websocket-protocol"])
	bad := slices.ContainsFunc(offered, func(p string) bool { return !token.MatchString(p) })
	seen := make(map[string]bool)
	for _, p := range offered {
		bad = bad || seen[p]
		seen[p] = true
	}
	if h.badProtocols != bad {
		t.Errorf("bad subprotocols: %v, want %v", h.badProtocols, bad)
	}
	if want := fields["sec-websocket-extensions"]; !slices.Equal(h.extensions, want) {
		t.Errorf("extensions: %q, want %q", h.extensions, want)
	}
	if want := wsKey.Match(h.key); validKey(h.key) != want {
		t.Errorf("%q is a key: %v, want %v", h.key, !want, want)
	}
	if want := isHostNaively(string(h.host)); isHost(h.host) != want {
		t.Errorf("%q is a host: %v, want %v", h.host, !want, want)
	}
}

func isHostNaively(s string) bool {
	m := hostPort.FindStringSubmatch(s)
	if m == nil || m[1] != "" && (net.ParseIP(m[1]) == nil || !strings.Contains(m[1], ":")) {
		return false
	}
	port, err := strconv.Atoi("0" + m[2])
	return err == nil && port <= 65535
}

func compareFields(t *testing.T, h handshake, want map[string][]string) {
	t.Helper()
	for _, row := range []struct {
		name  string
		count int
		last  []byte
	}{
		{"host", h.hosts, h.host},
		{"origin", h.origins, h.origin},
		{"sec-websocket-version", h.versions, h.version},
		{"sec-websocket-key", h.keys, h.key},
	} {
		values := want[row.name]
		if row.count != len(values) {
			t.Errorf("%s: %d fields, want %d", row.name, row.count, len(values))
			continue
		}
		if len(values) > 0 && string(row.last) != values[len(values)-1] {
			t.Errorf("%s: %q, want %q", row.name, row.last, values[len(values)-1])
		}
	}
	if offered := split(want["sec-websocket-protocol"]); !h.badProtocols && !slices.Equal(h.protocols, offered) {
		t.Errorf("subprotocols %q, want %q", h.protocols, offered)
	}
}

// compareTextproto compares what both take as well-formed.
func compareTextproto(t *testing.T, h handshake, raw string) {
	t.Helper()
	section, ok := strings.CutSuffix(raw, "\r\n\r\n")
	if h.malformed || !ok || strings.Contains(section, "\r\n\r\n") {
		return
	}
	header, err := textproto.NewReader(bufio.NewReader(strings.NewReader(raw))).ReadMIMEHeader()
	if err != nil {
		return
	}
	lower := make(map[string][]string)
	for name, values := range header {
		lower[strings.ToLower(name)] = values
	}
	compareFields(t, h, lower)
	want := slices.ContainsFunc(split(http.Header(header)["Upgrade"]), is("websocket")) &&
		slices.ContainsFunc(split(http.Header(header)["Connection"]), is("upgrade"))
	if got := isUpgrade([]byte(raw)); got != want {
		t.Errorf("an upgrade: %v, want %v", got, want)
	}
}

// compareFasthttp checks that what is an upgrade for handlers behind this one is one here too, whatever is wrong with
// it: else it would pass by unchecked.
func compareFasthttp(t *testing.T, h handshake, raw string) {
	t.Helper()
	request := "GET / HTTP/1.1\r\n" + raw
	var header fasthttp.RequestHeader
	if header.Read(bufio.NewReaderSize(strings.NewReader(request), len(request)+1)) != nil {
		return
	}
	values := func(name string) (s []string) {
		for _, v := range header.PeekAll(name) {
			s = append(s, string(v))
		}
		return split(s)
	}
	theirs := slices.ContainsFunc(values("Upgrade"), is("websocket")) && slices.ContainsFunc(values("Connection"), is("upgrade"))
	if theirs && !isUpgrade(header.RawHeaders()) {
		t.Errorf("an upgrade for fasthttp alone")
	}
	if !h.malformed && string(header.RawHeaders()) == raw && h.hosts == 1 && string(header.Host()) != string(h.host) {
		t.Errorf("the host is %q, for fasthttp %q", h.host, header.Host())
	}
}

// split returns the elements of all lists.
func split(lists []string) (elements []string) {
	for _, list := range lists {
		for e := range strings.SplitSeq(list, ",") {
			elements = append(elements, strings.Trim(e, " \t"))
		}
	}
	return elements
}

// is compares without the case of ASCII; every other letter is itself.
func is(want string) func(string) bool {
	ascii := func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	return func(s string) bool { return strings.Map(ascii, s) == want }
}
