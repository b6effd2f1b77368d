package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kind is the part of a request that a token comes from.
type Kind uint8

// The kinds of [Source].
const (
	Header   Kind = iota + 1 // a header field: "header:Authorization"
	Cookie                   // a cookie: "cookie:session"
	Query                    // a query parameter: "query:token"; it reaches logs and histories
	Param                    // a parameter of the route: "param:token"; likewise
	Protocol                 // an offered subprotocol "<name>.<token>": "protocol:wsx.bearer"
)

var kinds = [...]string{Header: "header", Cookie: "cookie", Query: "query", Param: "param", Protocol: "protocol"}

// String returns the kind as it is written in a lookup, "header" for example.
func (k Kind) String() string {
	if k < Header || k > Protocol {
		return "unknown"
	}
	return kinds[k]
}

// Source is one place of a request that a token may come from.
type Source struct {
	Kind Kind
	Name string // of the header field, cookie, parameter; for Protocol what stands before ".<token>"
}

// String returns the source as it is written in a lookup, "cookie:session" for example.
func (s Source) String() string { return s.Kind.String() + ":" + s.Name }

// same reports whether both name the same place: header fields have no case.
func (s Source) same(o Source) bool {
	return s.Kind == o.Kind && (s.Name == o.Name || s.Kind == Header && strings.EqualFold(s.Name, o.Name))
}

// ParseLookup reads a list such as "header:Authorization,protocol:wsx.bearer". The order is kept, space around the
// entries is not. The error is a sentence that says what to change.
func ParseLookup(lookup string) ([]Source, error) {
	if strings.TrimSpace(lookup) == "" {
		return nil, errors.New(`auth: the token lookup is empty; write for example "header:Authorization"`)
	}
	var sources []Source
	for part := range strings.SplitSeq(lookup, ",") {
		s, err := parseSource(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("auth: token lookup %q: %w", lookup, err)
		}
		if slices.ContainsFunc(sources, s.same) {
			return nil, fmt.Errorf("auth: token lookup %q: %s stands there twice; leave one out", lookup, s)
		}
		sources = append(sources, s)
	}
	return sources, nil
}

func parseSource(part string) (Source, error) {
	if part == "" {
		return Source{}, errors.New("an entry is empty; leave out the comma")
	}
	kind, name, ok := strings.Cut(part, ":")
	if !ok {
		return Source{}, fmt.Errorf(`%q has no name; write kind:name, as in "header:Authorization"`, part)
	}
	k := slices.Index(kinds[:], kind)
	if k < int(Header) {
		return Source{}, fmt.Errorf("%q is not a source; use header, cookie, query, param or protocol", kind)
	}
	s := Source{Kind(k), name}
	switch {
	case name == "":
		return Source{}, fmt.Errorf("%q has no name behind the colon", part)
	case s.Kind == Query || s.Kind == Param:
		if strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7F }) {
			return Source{}, fmt.Errorf("the name in %q holds a space or a control character", part)
		}
	case strings.ContainsFunc(name, notTokenChar):
		return Source{}, fmt.Errorf("the name in %q holds a character that no %s name may have", part, kind)
	}
	return s, nil
}

// notTokenChar reports whether r is outside RFC 9110's token, the alphabet of names of header fields, cookies and
// subprotocols.
func notTokenChar(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}
