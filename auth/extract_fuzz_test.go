package auth_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/auth"
)

// FuzzExtract puts the same bytes where a client can put them, and compares with an oracle that collects every token
// first and decides then.
func FuzzExtract(f *testing.F) {
	for _, s := range []string{"", "abc", "Bearer abc", "bearer  abc", "Basic abc", "wsx.bearer.abc", "wsx.bearer.", "a b", "a,b",
		"Bearer Bearer", "wsx.bearer.wsx.bearer.x", "abc\x00", "\r\n", "tökén", "\xff", strings.Repeat("x", 9000)} {
		f.Add(s, "abc", "", "")
		f.Add("Bearer abc", s, "wsx.v1", "abc")
		f.Add("", "", "wsx.bearer.abc", s)
	}
	sources := lookup(f, everywhere)
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		for name, req := range map[string]request{
			"apart":    {"header:authorization": {a, b}, "protocol": {c}, "cookie:session": {d}},
			"swapped":  {"header:authorization": {c}, "protocol": {b, a}, "query:token": {d, b}},
			"plain":    {"cookie:session": {a, b}, "query:token": {c}, "param:token": {d}, "header:x-token": {a}},
			"together": {"header:authorization": {a}, "protocol": {a}, "cookie:session": {b}, "query:token": {b}, "header:x-token": {b}},
		} {
			token, from, err := auth.Extract(sources, "", req)
			wantToken, wantFrom, wantErr := extractNaively(req)
			if token != wantToken || !errors.Is(err, wantErr) || from != (auth.Source{}) && from.String() != wantFrom {
				t.Errorf("%s: %.80q from %v, %v; want %.80q from %s, %v", name, token, from, err, wantToken, wantFrom, wantErr)
			}
			if (token == "") != (from == auth.Source{}) || err != nil && token != "" {
				t.Errorf("%s: %.80q from %v beside %v", name, token, from, err)
			}
		}
	})
}

var (
	bearer    = regexp.MustCompile(`(?s)^[Bb][Ee][Aa][Rr][Ee][Rr] +([^ ].*)$`)
	offered   = regexp.MustCompile(`(?s)^wsx\.bearer\.(.+)$`)
	plain     = regexp.MustCompile(`(?s)^(.+)$`)
	printable = regexp.MustCompile(`^[!-~]*$`)
)

// extractNaively does what Extract does with the sources of everywhere.
func extractNaively(req request) (token, from string, err error) {
	type place struct{ token, from string }
	var found []place
	collect := func(values []string, form *regexp.Regexp, from string) {
		for _, v := range values {
			if m := form.FindStringSubmatch(v); m != nil {
				found = append(found, place{m[1], from})
			}
		}
	}
	collect(req["header:authorization"], bearer, "header:Authorization")
	collect(req["protocol"], offered, "protocol:wsx.bearer")
	collect(req["cookie:session"], plain, "cookie:session")
	collect(req["query:token"], plain, "query:token")
	collect(req["param:token"], plain, "param:token")
	collect(req["header:x-token"], plain, "header:X-Token")
	for _, p := range found { // the first that is wrong says how
		switch {
		case len(p.token) > 8192:
			return "", "", auth.ErrTokenTooLong
		case !printable.MatchString(p.token):
			return "", "", auth.ErrMalformedToken
		case p.token != found[0].token:
			return "", "", auth.ErrConflictingTokens
		}
	}
	if len(found) == 0 {
		return "", "", nil
	}
	return found[0].token, found[0].from, nil
}
