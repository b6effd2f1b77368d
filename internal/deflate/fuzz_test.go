package deflate_test

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/internal/deflate"
)

// FuzzInflate compares with the standard library: what it can inflate up to the end is inflated to the same, and what
// it cannot is refused.
func FuzzInflate(f *testing.F) {
	for _, seed := range []string{
		"", "\x00", "\xf2\x48\xcd\xc9\xc9\x07\x00", "\xf2\x00\x11\x00\x00", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
		"\x00\x05\x00\xfa\xffHello\x00", "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "\x03\x00\x03\x00", "\x06",
	} {
		f.Add([]byte(seed), []byte("Hello"))
	}
	f.Fuzz(func(t *testing.T, message, before []byte) {
		s := deflate.NewSession(deflate.Params{ClientTakeover: true, ServerBits: 15, ClientBits: 15})
		c := deflate.NewCompressor(1)
		if got, err := inflate(s, c.Append(nil, before, nil, 15)); err != nil || !bytes.Equal(got, before) {
			t.Fatalf("got %q, %v, want %q", got, err, before)
		}
		window := before[max(0, len(before)-1<<15):]
		o := output{limit: 1 << 20}
		err := s.Inflate(&o, append(slices.Clone(message), deflate.Tail...))
		want, wantErr := standard(window, message)
		switch {
		case len(message) == 0: // refused by the one, an empty message for the other
		case wantErr == nil && len(want) > o.limit && !errors.Is(err, errLong):
			t.Errorf("%x: got %v, want %v", message, err, errLong)
		case wantErr == nil && len(want) <= o.limit && (err != nil || !bytes.Equal(o.Bytes(), want)):
			t.Errorf("%x: got %q, %v, want %q", message, o.Bytes(), err, want)
		case wantErr != nil && err == nil:
			t.Errorf("%x: got %q, want %v", message, o.Bytes(), wantErr)
		}
	})
}

// FuzzSession deflates a message in the middle of others and inflates it again, in every mode.
func FuzzSession(f *testing.F) {
	f.Add([]byte("Hello"), []byte("Hello"), uint8(15), uint8(1), true)
	f.Add(bytes.Repeat([]byte("abcd"), 1000), []byte("abcd"), uint8(8), uint8(9), true)
	f.Add([]byte{}, []byte{0}, uint8(9), uint8(6), false)
	f.Fuzz(func(t *testing.T, first, second []byte, bits, level uint8, takeover bool) {
		b, c := 8+int(bits)%8, deflate.NewCompressor(1+int(level)%9)
		server := deflate.NewSession(deflate.Params{ServerTakeover: takeover, ServerBits: b, ClientBits: 15})
		client := deflate.NewSession(deflate.Params{ClientTakeover: takeover, ServerBits: 15, ClientBits: b})
		for i, m := range [][]byte{first, second, first, nil, second} {
			packed := server.Deflate(c, []byte("before"), m)
			server.Sent(m)
			got, err := inflate(client, packed[len("before"):])
			if err != nil || !bytes.Equal(got, m) || string(packed[:6]) != "before" {
				t.Fatalf("message %d: got %q, %v, want %q", i, got, err, m)
			}
		}
	})
}

// A naive reading of the grammar and of RFC 7692, section 7.1.
var (
	token  = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
	quoted = `"(?:[!#$%&'*+\-.^_` + "`" + `|~0-9A-Za-z]|\\[!#$%&'*+\-.^_` + "`" + `|~0-9A-Za-z])*"`
	anyExt = `[ \t]*` + token + `(?:[ \t]*;[ \t]*` + token + `(?:[ \t]*=[ \t]*(?:` + token + `|` + quoted + `)?)?)*[ \t]*`
	field  = regexp.MustCompile(`^(?:` + anyExt + `|[ \t]*)(?:,(?:` + anyExt + `|[ \t]*))*$`)
	params = regexp.MustCompile(`^permessage-deflate(; (server_no_context_takeover|client_no_context_takeover|server_max_window_bits=([89]|1[0-5])|client_max_window_bits=([89]|1[0-5])))*$`)
)

// FuzzNegotiate: only what follows the grammar is taken, and every answer fits its offer.
func FuzzNegotiate(f *testing.F) {
	for _, seed := range []string{
		"permessage-deflate", "permessage-deflate; client_max_window_bits", "permessage-deflate; server_max_window_bits=10, foo",
		`permessage-deflate; server_max_window_bits="1\0"; client_no_context_takeover`, "a;b=c,,d", ";", "permessage-deflate;a=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, offer string) {
		answer, p, err := small.Negotiate(offer)
		if ok := field.MatchString(offer); ok != (err == nil) {
			t.Fatalf("%q: %v, but the grammar says %t", offer, err, ok)
		}
		if answer == "" {
			return
		}
		if !params.MatchString(answer) || !strings.Contains(offer, "permessage-deflate") {
			t.Errorf("%q: answered with %q", offer, answer)
		}
		if strings.Contains(answer, "client_max_window_bits") && !strings.Contains(offer, "client_max_window_bits") {
			t.Errorf("%q: answered with %q to a client that cannot do it", offer, answer)
		}
		if p != deflate.ParseAnswer(answer) {
			t.Errorf("%q: %+v, but the answer says %+v", offer, p, deflate.ParseAnswer(answer))
		}
	})
}
