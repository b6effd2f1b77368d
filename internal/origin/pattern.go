package origin

import (
	"fmt"
	"strings"
)

// Parse reads the patterns of a program:
//
//   - "https://example.com" or "http://localhost:5173" is that one origin. Scheme, host and port all count; the default
//     port may be written or not; case does not matter.
//   - "https://*.example.com" is every origin with one or more labels in front of .example.com, and not example.com
//     itself.
//   - "null" is the origin of sandboxed pages and local files.
//   - "*" is everything.
//
// The error is a sentence that says what to change.
func Parse(patterns []string) (*Matcher, error) {
	m := &Matcher{}
	for _, text := range patterns {
		switch text {
		case "*":
			m.any = true
			continue
		case "null":
			m.null = true
			continue
		}
		p, ok := parsePattern(text)
		if !ok {
			return nil, fmt.Errorf("origin %q %s", text, complaint(text))
		}
		m.patterns = append(m.patterns, p)
	}
	return m, nil
}

func parsePattern(text string) (pattern, bool) {
	scheme, rest, _ := strings.Cut(text, "://")
	name, below := strings.CutPrefix(rest, "*.")
	s, ok := parse(scheme + "://" + name)
	if !ok || isWS(scheme) {
		return pattern{}, false
	}
	if below && (s.addr.IsValid() || isIPv4(s.host) || coversTooMuch(s.host)) {
		return pattern{}, false
	}
	return pattern{s, below}, true
}

// coversTooMuch reports whether everything below the name is too many people's: a top-level domain. localhost is one's
// own.
func coversTooMuch(host string) bool {
	return !strings.Contains(host, ".") && !equalFold(host, "localhost")
}

func isWS(scheme string) bool { return equalFold(scheme, "ws") || equalFold(scheme, "wss") }

// complaint says what is wrong with a pattern that could not be read, and what to write instead.
func complaint(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	switch {
	case text == "":
		return "is empty; leave it out"
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7F }):
		return "holds a space or a control character; write one origin an entry"
	case strings.ContainsFunc(text, func(r rune) bool { return r > 0x7F }):
		return "is not ASCII; write the host in punycode (xn--…), as browsers send it"
	case strings.ContainsRune(text, ','):
		return "holds a comma; write one origin an entry"
	case !ok:
		return fmt.Sprintf("has no scheme; write %q", "https://"+strings.TrimLeft(text, "/"))
	case equalFold(scheme, "wss"):
		return fmt.Sprintf("is the address of a socket; an origin is the page's: write %q", "https://"+rest)
	case equalFold(scheme, "ws"):
		return fmt.Sprintf("is the address of a socket; an origin is the page's: write %q", "http://"+rest)
	case !isScheme(scheme):
		return "has no valid scheme; write http:// or https://, each as an entry of its own"
	}
	return hostComplaint(scheme, rest)
}

func hostComplaint(scheme, rest string) string {
	authority, path := rest, false
	if i := strings.IndexAny(rest, `/?#\`); i >= 0 {
		authority, path = rest[:i], true
	}
	host := authority[strings.LastIndexByte(authority, '@')+1:]
	name, below := strings.CutPrefix(host, "*.")
	bare := strings.TrimRight(name, ".")
	switch {
	case authority == "":
		return "has no host; write for example \"https://example.com\""
	case path:
		return fmt.Sprintf("goes on behind the host; an origin has no path, not even a slash: write %q", scheme+"://"+authority)
	case host != authority:
		return fmt.Sprintf("holds a user name; write %q", scheme+"://"+host)
	case strings.Contains(name, "*"):
		return "has a wildcard where none may stand; the only place is in front of the name, as in \"https://*.example.com\""
	case strings.HasPrefix(name, "[") || strings.Count(name, ":") > 1:
		return "is not an IPv6 address in brackets with a port or none; write for example \"http://[::1]:8080\""
	case strings.Contains(name, ":"):
		return "has a host or a port that does not exist; write for example \"https://example.com:8443\", with a port from 1 to 65535"
	case bare != name:
		return fmt.Sprintf("ends in a dot, which is another origin; write %q", scheme+"://"+strings.TrimSuffix(host, "."))
	case below && isIPv4(name):
		return "has a wildcard in front of an address; list the addresses themselves"
	case below && isHost(name):
		return "covers everybody below a top-level domain; name the domain, as in \"https://*.example.com\""
	}
	return "has no valid host; write for example \"https://example.com\""
}
