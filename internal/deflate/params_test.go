package deflate_test

import (
	"errors"
	"testing"

	"github.com/fiberwsx/wsx/internal/deflate"
)

// Policies that differ in what they allow.
var (
	plain    = deflate.Policy{ServerBits: 15, ClientBits: 15}
	takeover = deflate.Policy{ServerTakeover: true, ClientTakeover: true, ServerBits: 15, ClientBits: 15}
	small    = deflate.Policy{ServerTakeover: true, ClientTakeover: true, ServerBits: 12, ClientBits: 11}
)

// TestNegotiate: RFC 7692, sections 5.1 and 7.1.
func TestNegotiate(t *testing.T) {
	const both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	for name, row := range map[string]struct {
		policy deflate.Policy
		offers []string
		want   string
	}{
		"none":                     {plain, nil, ""},
		"another":                  {plain, []string{"x-webkit-deflate-frame"}, ""},
		"plain":                    {plain, []string{"permessage-deflate"}, both},
		"plain, takeover":          {takeover, []string{"permessage-deflate"}, "permessage-deflate"},
		"no server takeover":       {takeover, []string{"permessage-deflate; server_no_context_takeover"}, "permessage-deflate; server_no_context_takeover"},
		"no client takeover":       {takeover, []string{"permessage-deflate; client_no_context_takeover"}, "permessage-deflate; client_no_context_takeover"},
		"client bits":              {plain, []string{"permessage-deflate; client_max_window_bits"}, both},
		"client bits of 9":         {plain, []string{"permessage-deflate; client_max_window_bits=9"}, both + "; client_max_window_bits=9"},
		"server bits of 15":        {plain, []string{"permessage-deflate; server_max_window_bits=15"}, both + "; server_max_window_bits=15"},
		"server bits of 8":         {takeover, []string{"permessage-deflate; server_max_window_bits=8"}, "permessage-deflate; server_max_window_bits=8"},
		"quoted":                   {takeover, []string{`permessage-deflate; server_max_window_bits="1\0"`}, "permessage-deflate; server_max_window_bits=10"},
		"small windows":            {small, []string{"permessage-deflate"}, "permessage-deflate; server_max_window_bits=12"},
		"small windows, both":      {small, []string{"permessage-deflate; client_max_window_bits"}, "permessage-deflate; server_max_window_bits=12; client_max_window_bits=11"},
		"a smaller one":            {small, []string{"permessage-deflate; server_max_window_bits=9; client_max_window_bits=8"}, "permessage-deflate; server_max_window_bits=9; client_max_window_bits=8"},
		"a larger one":             {small, []string{"permessage-deflate; server_max_window_bits=15; client_max_window_bits=15"}, "permessage-deflate; server_max_window_bits=12; client_max_window_bits=11"},
		"the second":               {takeover, []string{"permessage-deflate; server_max_window_bits=16, permessage-deflate; client_no_context_takeover"}, "permessage-deflate; client_no_context_takeover"},
		"on the second line":       {takeover, []string{"x-foo; bar=1", "permessage-deflate"}, "permessage-deflate"},
		"empty elements":           {takeover, []string{" , ,permessage-deflate ,"}, "permessage-deflate"},
		"an empty line":            {takeover, []string{"", "permessage-deflate"}, "permessage-deflate"},
		"spaces":                   {takeover, []string{"\tpermessage-deflate ;  client_max_window_bits = 10 "}, "permessage-deflate; client_max_window_bits=10"},
		"unknown parameter":        {plain, []string{"permessage-deflate; foo"}, ""},
		"unknown with value":       {plain, []string{"permessage-deflate; foo=1"}, ""},
		"repeated":                 {plain, []string{"permessage-deflate; client_max_window_bits; client_max_window_bits"}, ""},
		"repeated flag":            {plain, []string{"permessage-deflate; server_no_context_takeover; server_no_context_takeover"}, ""},
		"repeated, other value":    {plain, []string{"permessage-deflate; server_max_window_bits=10; server_max_window_bits=11"}, ""},
		"a flag with a value":      {plain, []string{"permessage-deflate; server_no_context_takeover=1"}, ""},
		"another flag with one":    {plain, []string{"permessage-deflate; client_no_context_takeover=true"}, ""},
		"server bits of nothing":   {plain, []string{"permessage-deflate; server_max_window_bits"}, ""},
		"an empty value":           {plain, []string{"permessage-deflate; server_max_window_bits="}, ""},
		"an empty quoted value":    {plain, []string{`permessage-deflate; server_max_window_bits=""`}, ""},
		"7":                        {plain, []string{"permessage-deflate; server_max_window_bits=7"}, ""},
		"16":                       {plain, []string{"permessage-deflate; client_max_window_bits=16"}, ""},
		"a leading zero":           {plain, []string{"permessage-deflate; server_max_window_bits=08"}, ""},
		"a sign":                   {plain, []string{"permessage-deflate; client_max_window_bits=+9"}, ""},
		"no number":                {plain, []string{"permessage-deflate; client_max_window_bits=abc"}, ""},
		"a huge number":            {plain, []string{"permessage-deflate; client_max_window_bits=99999999999999999999"}, ""},
		"another case":             {plain, []string{"Permessage-Deflate"}, ""},
		"a parameter's other case": {plain, []string{"permessage-deflate; Server_No_Context_Takeover"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			answer, p, err := row.policy.Negotiate(row.offers...)
			if answer != row.want || err != nil {
				t.Fatalf("got %q, %v, want %q", answer, err, row.want)
			}
			if answer != "" && deflate.ParseAnswer(answer) != p {
				t.Errorf("%q means %+v to the hub, %+v to the handshake", answer, deflate.ParseAnswer(answer), p)
			}
		})
	}
}

// TestMalformed: what does not follow the grammar fails the handshake (RFC 6455, section 9.1).
func TestMalformed(t *testing.T) {
	for _, field := range []string{
		";", "permessage-deflate;", "permessage-deflate; ;", "permessage-deflate; =1", "permessage deflate", "=",
		`permessage-deflate; server_max_window_bits="10`, `permessage-deflate; a="b c"`, `permessage-deflate; a="b"c`,
		`permessage-deflate; a="b\`, "permessage-deflate/1", "a;b=c=d", `"permessage-deflate"`, "caf\xe9", "a,b;",
	} {
		if answer, _, err := plain.Negotiate("permessage-deflate", field); !errors.Is(err, deflate.ErrMalformed) || answer != "" {
			t.Errorf("%q: got %q, %v, want that it is malformed", field, answer, err)
		}
	}
}

func TestParseAnswerPanics(t *testing.T) {
	for _, answer := range []string{"", "foo", "permessage-deflate; foo", "permessage-deflate, permessage-deflate", ";"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is taken for an answer", answer)
				}
			}()
			deflate.ParseAnswer(answer)
		}()
	}
}
