package jwt

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/fiberwsx/wsx/auth"
)

// verifier is the Authenticator. Nothing in it changes after it was built.
type verifier struct {
	keys      keyring
	issuers   []string // nil: any
	audiences []string // nil: the token must name none
	leeway    time.Duration
}

// encoding refuses padding and loose bits. It skips line breaks, which is why split looks at every byte.
var encoding = base64.RawURLEncoding.Strict()

// Authenticate verifies the token: header, signature, and only then the claims. It does not wait for anything, so it
// does not look at the context.
func (v *verifier) Authenticate(_ context.Context, token string) (auth.Identity, error) {
	signed, signature, err := split(token)
	if err != nil {
		return auth.Identity{}, err
	}
	head, body, _ := strings.Cut(signed, ".")
	k, err := v.key(head)
	if err != nil {
		return auth.Identity{}, err
	}
	sig, err := encoding.DecodeString(signature)
	if err != nil {
		return auth.Identity{}, refusal{ErrMalformed, "the signature is not base64url"}
	}
	if k.method.Verify(signed, sig, k.material) != nil { // its error may hold what it was given: not passed on
		return auth.Identity{}, ErrSignature
	}
	claims, err := decode(body)
	if err != nil {
		return auth.Identity{}, err
	}
	return v.identity(claims, time.Now())
}

// split cuts a token into what was signed and the signature, having checked its length, its alphabet, and that it has
// three parts, none of them empty.
func split(token string) (signed, signature string, err error) {
	if len(token) > auth.MaxToken {
		return "", "", refusal{ErrMalformed, "longer than 8 KiB"}
	}
	part := 0 // bytes in the part so far
	dots := 0
	for i := range len(token) {
		switch c := token[i]; {
		case c == '.' && part > 0:
			dots, part = dots+1, 0
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c == '-', c == '_':
			part++
		default:
			return "", "", refusal{ErrMalformed, "an empty part, or a character that is not base64url"}
		}
	}
	if dots != 2 || part == 0 {
		return "", "", refusal{ErrMalformed, "not three parts"}
	}
	last := strings.LastIndexByte(token, '.')
	return token[:last], token[last+1:], nil
}

// key returns the key that the header's kid names, if the header asks for nothing but that key's algorithm.
func (v *verifier) key(head string) (key, error) {
	header, err := decode(head)
	if err != nil {
		return key{}, err
	}
	for _, name := range []string{"crit", "b64"} { // extensions that change the meaning; none is known here
		if _, ok := header[name]; ok {
			return key{}, refusal{ErrHeader, "it has a " + name + " member"}
		}
	}
	kid, isString := header["kid"].(string)
	if _, ok := header["kid"]; ok && !isString {
		return key{}, refusal{ErrHeader, "its kid is not a string"}
	}
	k := v.keys.only
	if v.keys.byID != nil {
		var ok bool
		if k, ok = v.keys.byID[kid]; !ok {
			return key{}, ErrUnknownKey
		}
	}
	if alg, ok := header["alg"].(string); !ok || alg != k.method.Alg() {
		return key{}, ErrAlgorithm
	}
	return k, nil
}
