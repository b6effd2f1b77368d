package deflate

import (
	"errors"
	"strings"
)

// ErrMalformed means that a Sec-WebSocket-Extensions field does not follow the grammar of RFC 6455, section 9.1, so
// that the handshake has to fail.
var ErrMalformed = errors.New("deflate: malformed Sec-WebSocket-Extensions")

// extension is one element of a Sec-WebSocket-Extensions field.
type extension struct {
	name   string
	params []param
}

// param is a parameter of an extension. A value that is there but empty is no token, so nothing accepts it.
type param struct {
	name, value string
	hasValue    bool
}

// parseExtensions appends the elements of one field. Empty elements of the list are passed over (RFC 9110, section
// 5.6.1).
func parseExtensions(list []extension, field string) ([]extension, error) {
	s := scanner{rest: field}
	for {
		s.space()
		switch {
		case s.rest == "":
			return list, nil
		case s.skip(','):
			continue
		}
		e, ok := s.extension()
		if !ok {
			return nil, ErrMalformed
		}
		list = append(list, e)
	}
}

// scanner reads a field from its start.
type scanner struct{ rest string }

// extension reads a name and its parameters, up to a comma or the end.
func (s *scanner) extension() (e extension, ok bool) {
	if e.name = s.token(); e.name == "" {
		return e, false
	}
	for {
		s.space()
		switch {
		case s.rest == "" || s.rest[0] == ',':
			return e, true
		case !s.skip(';'):
			return e, false
		}
		p, ok := s.param()
		if !ok {
			return e, false
		}
		e.params = append(e.params, p)
	}
}

func (s *scanner) param() (p param, ok bool) {
	s.space()
	if p.name = s.token(); p.name == "" {
		return p, false
	}
	s.space()
	if p.hasValue = s.skip('='); !p.hasValue {
		return p, true
	}
	s.space()
	if s.rest != "" && s.rest[0] == '"' {
		p.value, ok = s.quoted()
		return p, ok
	}
	p.value = s.token()
	return p, true
}

// quoted reads a quoted string, whose content has to be a token (RFC 6455, section 9.1).
func (s *scanner) quoted() (string, bool) {
	var b strings.Builder
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return b.String(), true
		case c == '\\' && i+1 < len(s.rest) && isTokenByte(s.rest[i+1]):
			i++
			b.WriteByte(s.rest[i])
		case isTokenByte(c):
			b.WriteByte(c)
		default:
			return "", false
		}
	}
	return "", false
}

func (s *scanner) token() string {
	n := 0
	for n < len(s.rest) && isTokenByte(s.rest[n]) {
		n++
	}
	t := s.rest[:n]
	s.rest = s.rest[n:]
	return t
}

func (s *scanner) space() { s.rest = strings.TrimLeft(s.rest, " \t") }

func (s *scanner) skip(c byte) bool {
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// isTokenByte reports whether c may be in a token (RFC 9110, section 5.6.2).
func isTokenByte(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	default:
		return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
	}
}
