package conformance

import (
	"strings"
)

// limitCases are messages about as long as the server takes (RFC 6455, sections 7.4.1 and 10.4).
func limitCases(s *Server) []Case {
	most := s.MaxMessage
	if most < 0 {
		return nil
	}
	most = max(most, 2)
	t := strings.Repeat("t", most)
	half, rest := t[:most/2], t[most/2:]
	return []Case{
		echoesText("10.4", "text-at-the-limit", t, text(t)),
		echoesText("10.4", "text-one-below-the-limit", t[1:], text(t[1:])),
		exchange("10.4", "binary-at-the-limit", func(c *conn) { c.echoesBlob(pattern(most)) }).echo(),
		exchange("10.4", "binary-one-below-the-limit", func(c *conn) { c.echoesBlob(pattern(most - 1)) }).echo(),
		exchange("10.4", "two-texts-at-the-limit", func(c *conn) { c.echoes(t); c.echoes(t) }).echo(),
		echoesText("10.4", "fragments-at-the-limit", t, begin(half), end(rest)),
		echoesText("10.4", "fragments-at-the-limit-and-an-empty-one", t, begin(half), middle(rest), end("")),
		refuses("7.4.1", "text-one-over-the-limit", 1009, text(t+"t")),
		refuses("7.4.1", "binary-one-over-the-limit", 1009, blob(pattern(most+1))),
		refuses("7.4.1", "binary-far-over-the-limit", 1009, blob(pattern(2*most+100))),
		refuses("7.4.1", "fragments-one-over-the-limit", 1009, begin(half), middle(rest), end("t")),
		refuses("7.4.1", "fragments-one-over-the-limit-without-an-end", 1009, begin(half), middle(rest), middle("t")),
		refusesEarly("7.4.1", "text-one-over-the-limit-by-its-header", 1009, headerFor(fin|opText, uint64(most)+1)),
		refusesEarly("7.4.1", "binary-one-over-the-limit-by-its-header", 1009, headerFor(fin|opBinary, uint64(most)+1)),
		refusesEarly("7.4.1", "fragment-one-over-the-limit-by-its-header", 1009, headerFor(opText, uint64(most)+1)),
		refusesEarly("7.4.1", "fragments-one-over-the-limit-by-the-last-header", 1009, begin(half), headerFor(fin|opContinuation, uint64(len(rest))+1)),
		refusesEarly("7.4.1", "length-of-2^31-by-its-header", 1009, headerFor(fin|opBinary, 1<<31)),
		refusesEarly("7.4.1", "length-of-2^32-by-its-header", 1009, headerFor(fin|opBinary, 1<<32)),
		refusesEarly("7.4.1", "length-of-2^62-by-its-header", 1009, headerFor(fin|opText, 1<<62)),
		refusesEarly("7.4.1", "length-of-2^63-1-by-its-header", 1009, headerFor(opBinary, 1<<63-1)),
		refusesEarly("7.4.1", "length-of-2^63-1-after-a-fragment", 1009, begin("t"), headerFor(fin|opContinuation, 1<<63-1)),
		exchange("7.4.1", "over-the-limit-after-a-text", func(c *conn) {
			c.stopIn(text("before"), headerFor(fin|opBinary, uint64(most)+1))
			c.wantText("before")
			c.wantClose(1009)
		}).echo(),
	}
}

// headerFor is the minimal header for n bytes of payload.
func headerFor(first byte, n uint64) []byte {
	form := 8
	if n < 1<<16 {
		form = minimal(int(n))
	}
	return header(first, form, n, defaultKey)
}
