package wsx

import (
	"bytes"
	"net/netip"
	"strconv"
)

// isHost reports whether p may be the value of a Host field: a name or an address, and perhaps a port (RFC 9110,
// section 7.2; RFC 3986, section 3.2.2). A name with a comma is none although the grammar has it, because a list of
// hosts looks like that.
func isHost(p []byte) bool {
	if bytes.HasPrefix(p, []byte("[")) {
		end := bytes.IndexByte(p, ']')
		return end > 0 && isIPv6(p[1:end]) && isPort(p[end+1:])
	}
	end := bytes.IndexByte(p, ':')
	if end < 0 {
		end = len(p)
	}
	return isName(p[:end]) && isPort(p[end:])
}

// isIPv6 reports whether p is an address of IPv6 without a zone, which means nothing on another machine.
func isIPv6(p []byte) bool {
	a, err := netip.ParseAddr(string(p))
	return err == nil && a.Is6() && a.Zone() == ""
}

// isPort reports whether p is empty, or a colon with a port or nothing behind it.
func isPort(p []byte) bool {
	if len(p) <= 1 {
		return len(p) == 0 || p[0] == ':'
	}
	_, err := strconv.ParseUint(string(p[1:]), 10, 16)
	return p[0] == ':' && err == nil
}

// isName reports whether p is a registered name of RFC 3986 that is not empty.
func isName(p []byte) bool {
	for i, b := range p {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
		case bytes.IndexByte([]byte("-._~!$&'()*+;="), b) >= 0:
		case b == '%' && i+2 < len(p) && isHex(p[i+1]) && isHex(p[i+2]):
		default:
			return false
		}
	}
	return len(p) > 0
}

func isHex(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}
