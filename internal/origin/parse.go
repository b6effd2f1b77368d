package origin

import (
	"net/netip"
	"strings"
)

// maxHost is the longest name in the DNS, in bytes as text.
const maxHost = 253

// site is an origin, or a Host header, taken apart. The strings are parts of the input, in its case.
type site struct {
	scheme string     // "" for a Host header
	host   string     // a name or an IPv4 address; "" for an IPv6 address
	addr   netip.Addr // the IPv6 address
	port   uint16     // 0 when none is written and the scheme has no default
}

// parse takes an origin apart.
func parse(origin string) (site, bool) {
	scheme, rest, ok := strings.Cut(origin, "://")
	if !ok || !isScheme(scheme) {
		return site{}, false
	}
	s, ok := parseHost(rest, defaultPort(scheme))
	s.scheme = scheme
	return s, ok
}

// parseHost takes host[:port] apart. The port is the given one when none is written.
func parseHost(hostport string, port uint16) (site, bool) {
	s := site{port: port}
	var rest string
	if strings.HasPrefix(hostport, "[") {
		end := strings.IndexByte(hostport, ']')
		if end < 0 || !s.setIPv6(hostport[1:end]) {
			return site{}, false
		}
		rest = hostport[end+1:]
	} else {
		s.host = hostport
		if colon := strings.IndexByte(hostport, ':'); colon >= 0 {
			s.host, rest = hostport[:colon], hostport[colon:]
		}
		if !isHost(s.host) {
			return site{}, false
		}
	}
	if rest == "" {
		return s, true
	}
	var ok bool
	s.port, ok = parsePort(rest)
	return s, ok
}

func (s *site) setIPv6(text string) bool {
	for i := range len(text) { // first the alphabet: no zone, and no error value for what is no address
		if c := text[i]; !isHex(c) && c != ':' && c != '.' {
			return false
		}
	}
	addr, err := netip.ParseAddr(text)
	s.addr = addr
	return err == nil && addr.Is6()
}

// parsePort reads ":1" to ":65535", without leading zeros.
func parsePort(text string) (uint16, bool) {
	if len(text) < 2 || len(text) > 6 || text[0] != ':' || text[1] == '0' {
		return 0, false
	}
	n := 0
	for i := 1; i < len(text); i++ {
		if !isDigit(text[i]) {
			return 0, false
		}
		n = n*10 + int(text[i]-'0')
	}
	return uint16(n), n <= 65535
}

// isScheme reports whether s has the form of a URL's scheme. Applications have schemes of their own.
func isScheme(s string) bool {
	if s == "" || !isLetter(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// isHost reports whether s is a name of labels, none of them empty (so no dot at the end, which is another origin for a
// browser and the same host for the DNS), or an IPv4 address. A name whose last label is a number is one only in four
// decimal parts: browsers turn 127.1 or 0x7f000001 into that before they send it.
func isHost(s string) bool {
	if s == "" || len(s) > maxHost {
		return false
	}
	label, last := 0, 0 // bytes of the label so far, where it begins
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.' && label > 0:
			label, last = 0, i+1
		case (isLetter(c) || isDigit(c) || c == '-' || c == '_') && label < 63:
			label++
		default:
			return false
		}
	}
	return label > 0 && (!isNumber(s[last:]) || isIPv4(s))
}

// isNumber reports whether the label is digits alone, or 0x and hexadecimal digits.
func isNumber(label string) bool {
	digit := isDigit
	if len(label) >= 2 && label[0] == '0' && label[1]|0x20 == 'x' {
		label, digit = label[2:], isHex
	}
	for i := range len(label) {
		if !digit(label[i]) {
			return false
		}
	}
	return true
}

// isIPv4 reports whether s is four decimal numbers to 255, without leading zeros.
func isIPv4(s string) bool {
	parts, n, digits := 1, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			parts, n, digits = parts+1, 0, 0
		case !isDigit(c) || digits > 0 && n == 0: // a letter, or a digit behind a leading zero
			return false
		default:
			n, digits = n*10+int(c-'0'), digits+1
			if n > 255 {
				return false
			}
		}
	}
	return parts == 4
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// defaultPort returns the port that a scheme implies, 0 for none.
func defaultPort(scheme string) uint16 {
	switch {
	case equalFold(scheme, "http"):
		return 80
	case equalFold(scheme, "https"):
		return 443
	}
	return 0
}

// equalFold compares ASCII without case. (strings.EqualFold also folds letters from outside ASCII.)
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && (a[i]|0x20 != b[i]|0x20 || !isLetter(a[i])) {
			return false
		}
	}
	return true
}
