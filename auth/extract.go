package auth

import (
	"errors"
	"strings"
)

// MaxToken is the longest token in bytes.
const MaxToken = 8 << 10

// DefaultScheme is the scheme of an Authorization header that carries a token.
const DefaultScheme = "Bearer"

// The errors of [Extract], each a 400. None holds anything of a token.
var (
	// ErrConflictingTokens is a request that carries two different tokens: which one a client, a proxy and a server
	// take must not depend on the order in which they look.
	ErrConflictingTokens = errors.New("auth: the request carries two different tokens")
	// ErrTokenTooLong is a token of more than [MaxToken] bytes.
	ErrTokenTooLong = errors.New("auth: a token is longer than 8 KiB")
	// ErrMalformedToken is a token with a byte that is not printable ASCII, or with a space.
	ErrMalformedToken = errors.New("auth: a token holds a byte that is not printable ASCII")
)

// Request is what [Extract] reads of a request. A method is called only for a source of its kind, and returns every
// value there is under the name, decoded, in the order of the request; nil for none. The values need to stay valid only
// as long as the token that Extract returns, which is one of them or a part of one.
type Request interface {
	Header(name string) []string // compared without case
	Cookie(name string) []string
	Query(name string) []string
	Param(name string) string
	Protocols() []string // the offered subprotocols
}

// Extract returns the token of req and the first source that has it; "" and the zero Source when there is none.
//
// All sources are read, in the order given: the same token may stand in several, but two different ones are
// [ErrConflictingTokens]. An empty value is no token. The header Authorization carries "<scheme> <token>", with the
// scheme compared without case; other schemes are no token. "" for scheme means [DefaultScheme]. Every other place
// carries the token alone.
//
// It allocates nothing itself. Since the token is a part of what req returned, a caller that keeps it longer than the
// request copies it.
func Extract(sources []Source, scheme string, req Request) (token string, from Source, err error) {
	if scheme == "" {
		scheme = DefaultScheme
	}
	f := finding{scheme: scheme}
	for _, s := range sources {
		if err := f.read(s, req); err != nil {
			return "", Source{}, err
		}
	}
	return f.token, f.from, nil
}

// finding is the token found so far.
type finding struct {
	scheme string
	token  string
	from   Source
}

func (f *finding) read(s Source, req Request) error {
	var values []string
	switch s.Kind {
	case Header:
		values = req.Header(s.Name)
	case Cookie:
		values = req.Cookie(s.Name)
	case Query:
		values = req.Query(s.Name)
	case Param:
		return f.add(s, req.Param(s.Name))
	case Protocol:
		values = req.Protocols()
	}
	for _, v := range values {
		if err := f.add(s, f.tokenIn(s, v)); err != nil {
			return err
		}
	}
	return nil
}

// tokenIn returns the token that the value of s carries, "" for none.
func (f *finding) tokenIn(s Source, value string) string {
	switch {
	case s.Kind == Protocol:
		rest, ok := strings.CutPrefix(value, s.Name)
		if !ok || rest == "" || rest[0] != '.' {
			return ""
		}
		return rest[1:]
	case s.Kind == Header && strings.EqualFold(s.Name, "Authorization"):
		scheme, rest, ok := strings.Cut(value, " ")
		if !ok || !strings.EqualFold(scheme, f.scheme) {
			return ""
		}
		return strings.TrimLeft(rest, " ")
	}
	return value
}

func (f *finding) add(s Source, token string) error {
	if token == "" {
		return nil
	}
	if err := CheckToken(token); err != nil {
		return err
	}
	if f.token == "" {
		f.token, f.from = token, s
	}
	if f.token != token {
		return ErrConflictingTokens
	}
	return nil
}

// CheckToken returns why token cannot be one, whoever verifies it: [ErrTokenTooLong], [ErrMalformedToken], or nil. ""
// passes.
func CheckToken(token string) error {
	if len(token) > MaxToken {
		return ErrTokenTooLong
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] >= 0x7F {
			return ErrMalformedToken
		}
	}
	return nil
}
