package auth_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/auth"
)

func TestParseLookup(t *testing.T) {
	for _, tt := range []struct {
		lookup string
		want   []auth.Source
	}{
		{"header:Authorization", []auth.Source{{Kind: auth.Header, Name: "Authorization"}}},
		{" header:Authorization , protocol:wsx.bearer ", []auth.Source{
			{Kind: auth.Header, Name: "Authorization"}, {Kind: auth.Protocol, Name: "wsx.bearer"}}},
		{"param:t,query:t,cookie:t,header:t", []auth.Source{
			{Kind: auth.Param, Name: "t"}, {Kind: auth.Query, Name: "t"}, {Kind: auth.Cookie, Name: "t"}, {Kind: auth.Header, Name: "t"}}},
		{"query:a:b", []auth.Source{{Kind: auth.Query, Name: "a:b"}}},
		{"cookie:a,cookie:A", []auth.Source{{Kind: auth.Cookie, Name: "a"}, {Kind: auth.Cookie, Name: "A"}}},
	} {
		got, err := auth.ParseLookup(tt.lookup)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q: %v, %v", tt.lookup, got, err)
		}
	}
}

func TestParseLookupSaysWhatIsWrong(t *testing.T) {
	for _, tt := range []struct{ lookup, say string }{
		{"", "empty"},
		{"  ", "empty"},
		{",", "leave out the comma"},
		{"header:Authorization,", "leave out the comma"},
		{"Authorization", "has no name"},
		{"header", "has no name"},
		{"header:", "no name behind the colon"},
		{":Authorization", "not a source"},
		{"Header:Authorization", "not a source"},
		{"body:token", "not a source"},
		{"unknown:x", "not a source"},
		{"header :X", "not a source"},
		{"header:X Token", "no header name may have"},
		{"header:X:Y", "no header name may have"},
		{"header:Tökén", "no header name may have"},
		{"header: X", "no header name may have"},
		{"cookie:a;b", "no cookie name may have"},
		{"protocol:a/b", "no protocol name may have"},
		{"query:a b", "space"},
		{"param:a\x00", "control"},
		{"cookie:a,cookie:a", "twice"},
		{"header:x-token,query:x,header:X-Token", "twice"},
	} {
		got, err := auth.ParseLookup(tt.lookup)
		if err == nil || got != nil || !strings.Contains(err.Error(), tt.say) {
			t.Errorf("%q: %v, %v; it should say %q", tt.lookup, got, err, tt.say)
		}
	}
}

func TestSourceString(t *testing.T) {
	const all = "header:a,cookie:b,query:c,param:d,protocol:e"
	sources, err := auth.ParseLookup(all)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, s := range sources {
		texts = append(texts, s.String())
	}
	if got := strings.Join(texts, ","); got != all {
		t.Errorf("%q", got)
	}
	if got := (auth.Source{}).String(); got != "unknown:" {
		t.Errorf("the zero Source is %q", got)
	}
}
