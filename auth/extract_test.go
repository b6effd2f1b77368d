package auth_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/auth"
)

// request maps what a lookup names to the values there; "protocol" to the offered subprotocols.
type request map[string][]string

func (r request) Header(name string) []string { return r["header:"+strings.ToLower(name)] }
func (r request) Cookie(name string) []string { return r["cookie:"+name] }
func (r request) Query(name string) []string  { return r["query:"+name] }
func (r request) Protocols() []string         { return r["protocol"] }
func (r request) Param(name string) string {
	if v := r["param:"+name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

const everywhere = "header:Authorization,protocol:wsx.bearer,cookie:session,query:token,param:token,header:X-Token"

func lookup(t testing.TB, s string) []auth.Source {
	t.Helper()
	sources, err := auth.ParseLookup(s)
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

func TestExtract(t *testing.T) {
	long := strings.Repeat("x", auth.MaxToken)
	for name, tt := range map[string]struct {
		lookup string // "" is everywhere
		scheme string
		req    request
		token  string
		from   string // "" for none
		err    error
	}{
		"nothing":                 {req: request{}},
		"bearer":                  {req: request{"header:authorization": {"Bearer abc"}}, token: "abc", from: "header:Authorization"},
		"bearer without case":     {req: request{"header:authorization": {"bEARER abc"}}, token: "abc", from: "header:Authorization"},
		"bearer with spaces":      {req: request{"header:authorization": {"Bearer   abc"}}, token: "abc", from: "header:Authorization"},
		"header name in any case": {lookup: "header:AUTHORIZATION", req: request{"header:authorization": {"Bearer abc"}}, token: "abc", from: "header:AUTHORIZATION"},
		"no scheme":               {req: request{"header:authorization": {"abc"}}},
		"scheme alone":            {req: request{"header:authorization": {"Bearer"}}},
		"scheme and a space":      {req: request{"header:authorization": {"Bearer "}}},
		"scheme and a tab":        {req: request{"header:authorization": {"Bearer\tabc"}}},
		"scheme run together":     {req: request{"header:authorization": {"Bearerabc"}}},
		"another scheme":          {req: request{"header:authorization": {"Basic abc"}}},
		"another and ours":        {req: request{"header:authorization": {"Basic abc", "Bearer def"}}, token: "def", from: "header:Authorization"},
		"space in front":          {req: request{"header:authorization": {" Bearer abc"}}},
		"own scheme":              {scheme: "Token", req: request{"header:authorization": {"token abc"}}, token: "abc", from: "header:Authorization"},
		"bearer is not ours":      {scheme: "Token", req: request{"header:authorization": {"Bearer abc"}}},
		"other header":            {req: request{"header:x-token": {"abc"}}, token: "abc", from: "header:X-Token"},
		"cookie":                  {req: request{"cookie:session": {"abc"}}, token: "abc", from: "cookie:session"},
		"empty cookie":            {req: request{"cookie:session": {""}, "query:token": {"abc"}}, token: "abc", from: "query:token"},
		"query":                   {req: request{"query:token": {"abc"}}, token: "abc", from: "query:token"},
		"param":                   {req: request{"param:token": {"abc"}}, token: "abc", from: "param:token"},
		"not asked for":           {lookup: "cookie:other", req: request{"cookie:session": {"abc"}, "query:token": {"def"}}},
		"protocol":                {req: request{"protocol": {"wsx.v1", "wsx.bearer.a.b.c"}}, token: "a.b.c", from: "protocol:wsx.bearer"},
		"protocol without token":  {req: request{"protocol": {"wsx.bearer", "wsx.bearer.", "wsx.bearerx", "x.wsx.bearer.y"}}},
		"protocol has case":       {req: request{"protocol": {"WSX.Bearer.abc"}}},
		"same token everywhere": {req: request{"header:authorization": {"Bearer abc", "bearer abc"}, "protocol": {"wsx.bearer.abc"},
			"cookie:session": {"abc"}, "query:token": {"abc", "abc"}, "param:token": {"abc"}}, token: "abc", from: "header:Authorization"},
		"order of the lookup": {lookup: "query:token,cookie:session", req: request{"cookie:session": {"abc"}, "query:token": {"abc"}},
			token: "abc", from: "query:token"},

		"two headers":          {req: request{"header:authorization": {"Bearer abc", "Bearer def"}}, err: auth.ErrConflictingTokens},
		"two protocols":        {req: request{"protocol": {"wsx.bearer.abc", "wsx.bearer.def"}}, err: auth.ErrConflictingTokens},
		"two cookies":          {req: request{"cookie:session": {"abc", "def"}}, err: auth.ErrConflictingTokens},
		"two queries":          {req: request{"query:token": {"abc", "", "def"}}, err: auth.ErrConflictingTokens},
		"header and query":     {req: request{"header:authorization": {"Bearer abc"}, "query:token": {"def"}}, err: auth.ErrConflictingTokens},
		"differ in case":       {req: request{"cookie:session": {"abc"}, "param:token": {"ABC"}}, err: auth.ErrConflictingTokens},
		"one begins the other": {req: request{"cookie:session": {"abc"}, "param:token": {"abcd"}}, err: auth.ErrConflictingTokens},

		"8 KiB":                  {req: request{"cookie:session": {long}}, token: long, from: "cookie:session"},
		"8 KiB and a byte":       {req: request{"cookie:session": {long + "x"}}, err: auth.ErrTokenTooLong},
		"8 KiB behind a scheme":  {req: request{"header:authorization": {"Bearer " + long}}, token: long, from: "header:Authorization"},
		"too long, after a good": {req: request{"header:authorization": {"Bearer abc"}, "query:token": {long + "x"}}, err: auth.ErrTokenTooLong},

		"list of headers":    {req: request{"header:authorization": {"Bearer abc, Bearer def"}}, err: auth.ErrMalformedToken},
		"space":              {req: request{"query:token": {"a b"}}, err: auth.ErrMalformedToken},
		"space at the end":   {req: request{"header:authorization": {"Bearer abc "}}, err: auth.ErrMalformedToken},
		"tab":                {req: request{"header:authorization": {"Bearer \tabc"}}, err: auth.ErrMalformedToken},
		"line break":         {req: request{"query:token": {"abc\r\nX: y"}}, err: auth.ErrMalformedToken},
		"NUL":                {req: request{"param:token": {"abc\x00"}}, err: auth.ErrMalformedToken},
		"DEL":                {req: request{"cookie:session": {"abc\x7f"}}, err: auth.ErrMalformedToken},
		"not ASCII":          {req: request{"query:token": {"tökén"}}, err: auth.ErrMalformedToken},
		"not UTF-8":          {req: request{"query:token": {"\xff"}}, err: auth.ErrMalformedToken},
		"scheme in a cookie": {req: request{"cookie:session": {"Bearer abc"}}, err: auth.ErrMalformedToken},
		"bad, after a good":  {req: request{"header:authorization": {"Bearer abc"}, "query:token": {"a\nb"}}, err: auth.ErrMalformedToken},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.lookup == "" {
				tt.lookup = everywhere
			}
			token, from, err := auth.Extract(lookup(t, tt.lookup), tt.scheme, tt.req)
			if token != tt.token || !errors.Is(err, tt.err) {
				t.Errorf("%.40q, %v", token, err)
			}
			if want := tt.from; want == "" && from != (auth.Source{}) || want != "" && from.String() != want {
				t.Errorf("from %v, not %q", from, want)
			}
		})
	}
}

func TestExtractAllocatesNothing(t *testing.T) {
	sources := lookup(t, everywhere)
	var req auth.Request = request{"header:authorization": {"Bearer abc"}, "protocol": {"wsx.v1", "wsx.bearer.abc"}}
	base := testing.AllocsPerRun(100, func() { // what the test's own request costs
		for _, s := range sources {
			switch s.Kind {
			case auth.Header:
				req.Header(s.Name)
			case auth.Cookie:
				req.Cookie(s.Name)
			case auth.Query:
				req.Query(s.Name)
			case auth.Param:
				req.Param(s.Name)
			case auth.Protocol:
				req.Protocols()
			}
		}
	})
	if n := testing.AllocsPerRun(100, func() { _, _, _ = auth.Extract(sources, "", req) }); n != base {
		t.Errorf("%v allocations, of which %v are the request's", n, base)
	}
}
