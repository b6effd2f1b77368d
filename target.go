package wsx

import "bytes"

// targetHost checks the target of a request line (RFC 9112, section 3.2): a path, or a whole URL, whose host is
// returned and counts instead of the Host field. fasthttp lets everything pass. Bytes over 0x7f are let through,
// because clients exist that leave them unescaped; a fragment is not (RFC 6455, section 3).
func targetHost(target []byte) (host []byte, ok bool) {
	if bytes.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' }) {
		return nil, false
	}
	if bytes.HasPrefix(target, []byte("/")) {
		return nil, true
	}
	scheme, rest, found := bytes.Cut(target, []byte("://"))
	if !found || !isWebScheme(scheme) {
		return nil, false
	}
	if end := bytes.IndexAny(rest, "/?"); end >= 0 {
		rest = rest[:end]
	}
	return rest, isHost(rest)
}

func isWebScheme(p []byte) bool {
	return equalName(p, "http") || equalName(p, "https") || equalName(p, "ws") || equalName(p, "wss")
}
