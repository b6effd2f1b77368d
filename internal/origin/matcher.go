package origin

// Matcher holds the patterns of a program. It never changes, so any number of goroutines may use it. The nil and the
// zero Matcher match nothing.
type Matcher struct {
	any      bool // "*"
	null     bool // "null"
	patterns []pattern
}

// pattern is one origin, or all those below a name.
type pattern struct {
	site
	below bool // any label or labels in front of host, but at least one
}

// Match reports whether a pattern matches the value of an Origin header. "*" matches whatever stands there; "null", the
// origin of sandboxed pages and local files, is otherwise matched by "null" alone; and all other patterns match only
// well-formed origins. It takes time in proportion to the patterns and allocates nothing.
func (m *Matcher) Match(origin string) bool {
	if m == nil {
		return false
	}
	if m.any {
		return true
	}
	if origin == "null" {
		return m.null
	}
	o, ok := parse(origin)
	if !ok {
		return false
	}
	for i := range m.patterns {
		if m.patterns[i].match(&o) {
			return true
		}
	}
	return false
}

// AllowsAny reports whether "*" is among the patterns: then every page on the web may connect, with its visitor's
// cookies.
func (m *Matcher) AllowsAny() bool { return m != nil && m.any }

func (p *pattern) match(o *site) bool {
	if p.port != o.port || !equalFold(p.scheme, o.scheme) {
		return false
	}
	if !p.below {
		return p.sameHost(o)
	}
	front := len(o.host) - len(p.host) - 1 // the bytes in front of the dot
	return front > 0 && o.host[front] == '.' && equalFold(o.host[front+1:], p.host)
}

func (s *site) sameHost(o *site) bool { return s.addr == o.addr && equalFold(s.host, o.host) }

// SameHost reports whether origin, the value of an Origin header, is the site that the request was sent to: its host
// and port equal those of the Host header, where a port that is not written is the default of the origin's scheme. The
// scheme itself is not compared, since TLS often ends in front of the program; but when the connection itself is TLS
// (tls), an http origin is another site. Only http and https origins can be the same host, and both values must be well
// formed. It allocates nothing.
func SameHost(origin, host string, tls bool) bool {
	o, ok := parse(origin)
	if !ok {
		return false
	}
	port := defaultPort(o.scheme)
	if port == 0 || tls && port == 80 {
		return false
	}
	h, ok := parseHost(host, port)
	return ok && h.port == o.port && h.sameHost(&o)
}
