package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/auth"
)

const (
	tokenA = "a-token-of-twenty-bytes"
	tokenB = "another-token-of-some-bytes"
)

func TestStatic(t *testing.T) {
	tokens := map[string]string{tokenA: "alice", tokenB: "bob", tokenA + "2": "alice"}
	a := auth.Static(tokens)
	delete(tokens, tokenB) // the list was copied
	for token, subject := range map[string]string{tokenA: "alice", tokenB: "bob", tokenA + "2": "alice"} {
		id, err := a.Authenticate(t.Context(), token)
		if err != nil || id.Subject != subject || !id.Expires.IsZero() || id.ID != "" {
			t.Errorf("%q: %+v, %v", token, id, err)
		}
	}
	for _, token := range []string{"", "alice", tokenA[1:], tokenA + " ", strings.ToUpper(tokenA), tokenA + tokenB, tokenA + "\x00"} {
		id, err := a.Authenticate(t.Context(), token)
		if !errors.Is(err, auth.ErrUnknownToken) || id.Subject != "" {
			t.Errorf("%q: %+v, %v", token, id, err)
		}
	}
}

func TestStaticPanicsWithoutTheToken(t *testing.T) {
	for name, tt := range map[string]struct {
		tokens map[string]string
		say    string
	}{
		"nil":         {nil, "no tokens"},
		"empty":       {map[string]string{}, "no tokens"},
		"empty token": {map[string]string{"": "alice"}, "0 bytes"},
		"short token": {map[string]string{"fifteen-bytes-x": "alice"}, "15 bytes"},
		"long token":  {map[string]string{strings.Repeat("x", auth.MaxToken+1): "alice"}, "cannot travel"},
		"space":       {map[string]string{"a token with spaces": "alice"}, "cannot travel"},
		"not ASCII":   {map[string]string{"a-tökén-with-umlauts": "alice"}, "cannot travel"},
		"no subject":  {map[string]string{tokenA: ""}, "subject"},
		"bad subject": {map[string]string{tokenA: "a\nb"}, "subject"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				text := fmt.Sprint(recover())
				if !strings.Contains(text, tt.say) {
					t.Errorf("%q does not say %q", text, tt.say)
				}
				for token := range tt.tokens {
					if token != "" && strings.Contains(text, token) {
						t.Errorf("%q holds the token", text)
					}
				}
			}()
			auth.Static(tt.tokens)
		})
	}
}

func TestFunc(t *testing.T) {
	var a auth.Authenticator = auth.Func(func(_ context.Context, token string) (auth.Identity, error) {
		return auth.Identity{Subject: token}, nil
	})
	if id, err := a.Authenticate(t.Context(), "x"); id.Subject != "x" || err != nil {
		t.Error(id, err)
	}
}

func TestCheckSubject(t *testing.T) {
	for _, s := range []string{"a", "user|42", "dev 1", "Zoë", "日本", "👩‍🚀", strings.Repeat("x", auth.MaxSubject)} {
		if err := auth.CheckSubject(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", "secret\x00", "secret\n", "secret\x7f", "secret\u0085", "secret\xff", "secret\ufffd",
		strings.Repeat("x", auth.MaxSubject+1)} {
		if err := auth.CheckSubject(s); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func Example() {
	a := auth.Static(map[string]string{"5f1d3c0a9be84f27a6c1": "device-1"})
	id, err := a.Authenticate(context.Background(), "5f1d3c0a9be84f27a6c1")
	fmt.Println(id.Subject, err)
	_, err = a.Authenticate(context.Background(), "guess")
	fmt.Println(err)
	// Output:
	// device-1 <nil>
	// auth: unknown token
}

func ExampleParseLookup() {
	sources, err := auth.ParseLookup("header:Authorization, cookie:session")
	fmt.Println(sources, err)
	_, err = auth.ParseLookup("headers:Authorization")
	why, what, _ := strings.Cut(err.Error(), "; ")
	fmt.Println(why)
	fmt.Println(what)
	// Output:
	// [header:Authorization cookie:session] <nil>
	// auth: token lookup "headers:Authorization": "headers" is not a source
	// use header, cookie, query, param or protocol
}
