package wsx

import (
	"bufio"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"testing"
)

// FuzzHandshake compares the parser with net/textproto: what both take as well-formed has to mean the same.
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
		upgrade := isUpgrade([]byte(raw))
		h := parseHandshake([]byte(raw))
		if h.malformed || !strings.HasSuffix(raw, "\r\n\r\n") || strings.Contains(strings.TrimSuffix(raw, "\r\n\r\n"), "\r\n\r\n") {
			return
		}
		want, err := textproto.NewReader(bufio.NewReader(strings.NewReader(raw))).ReadMIMEHeader()
		if err != nil {
			return
		}
		compareFields(t, h, http.Header(want))
		if w := names(want["Upgrade"], "websocket") && names(want["Connection"], "upgrade"); upgrade != w {
			t.Errorf("an upgrade: %v, want %v", upgrade, w)
		}
	})
}

func compareFields(t *testing.T, h handshake, want http.Header) {
	t.Helper()
	for _, row := range []struct {
		name  string
		count int
		last  []byte
	}{
		{"Host", h.hosts, h.host},
		{"Origin", h.origins, h.origin},
		{"Sec-Websocket-Version", h.versions, h.version},
		{"Sec-Websocket-Key", h.keys, h.key},
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
	var offered []string
	for _, v := range want["Sec-Websocket-Protocol"] {
		for p := range strings.SplitSeq(v, ",") {
			offered = append(offered, strings.Trim(p, " \t"))
		}
	}
	if !h.badProtocols && !slices.Equal(h.protocols, offered) {
		t.Errorf("subprotocols %q, want %q", h.protocols, offered)
	}
}

// names reports whether one of the lists has the token.
func names(lists []string, token string) bool {
	return slices.ContainsFunc(lists, func(list string) bool {
		return slices.ContainsFunc(strings.Split(list, ","), func(item string) bool {
			return strings.EqualFold(strings.Trim(item, " \t"), token)
		})
	})
}
