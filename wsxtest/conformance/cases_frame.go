package conformance

import (
	"fmt"
	"slices"
	"strings"
)

// headerCases are the reserved bits and opcodes of RFC 6455, section 5.2.
func headerCases() (all []Case) {
	names := map[byte]string{opContinuation: "continuation", opText: "text", opBinary: "binary", opClose: "close", opPing: "ping", opPong: "pong"}
	for op, name := range names {
		for bits := byte(rsv3); bits <= rsv1|rsv2|rsv3; bits += rsv3 {
			all = append(all, refuses("5.2", fmt.Sprintf("RSV-%03b-on-%s", bits/rsv3, name), 1002, raw(fin|bits|op, nil)))
		}
	}
	for op := byte(0); op <= 0xf; op++ {
		if names[op] == "" {
			all = append(all, reservedOpcode(op)...)
		}
	}
	return append(all,
		reservedBitAfterEcho(), reservedBitInMessage(),
		refuses("5.2", "RSV1-on-text-with-payload", 1002, raw(fin|rsv1|opText, []byte("compressed?"))),
		refuses("5.2", "RSV2-on-a-first-fragment", 1002, raw(rsv2|opText, []byte("a"))),
		refusesEarly("5.2", "RSV3-by-the-first-two-bytes", 1002, []byte{fin | rsv3 | opBinary, masked | 127}),
	)
}

func reservedOpcode(op byte) []Case {
	name := fmt.Sprintf("opcode-%d", op)
	return []Case{
		refuses("5.2", name, 1002, raw(fin|op, nil)),
		refuses("5.2", name+"-with-payload", 1002, raw(fin|op, []byte("what is this?"))),
		refuses("5.2", name+"-between-fragments", 1002, begin("a"), raw(fin|op, nil), end("b")),
		exchange("5.2", name+"-after-a-text", func(c *conn) {
			c.send(text("before"), raw(fin|op, nil), text("after"))
			c.wantText("before")
			c.wantClose(1002)
		}).echo(),
	}
}

func reservedBitAfterEcho() Case {
	return exchange("5.2", "RSV2-after-a-text", func(c *conn) {
		c.send(text("before"), raw(fin|rsv2|opText, []byte("bad")), text("after"))
		c.wantText("before")
		c.wantClose(1002)
	}).echo()
}

func reservedBitInMessage() Case {
	return exchange("5.2", "RSV3-on-a-ping-after-a-ping", func(c *conn) {
		c.send(ping("good"), raw(fin|rsv3|opPing, []byte("bad")))
		c.wantPong("good")
		c.wantClose(1002)
	})
}

// lengthCases are messages of every form of length, as far as the server takes them, and lengths that are not minimal.
func lengthCases(s *Server) (all []Case) {
	for _, n := range []int{0, 1, 2, 7, 8, 9, 31, 125, 126, 127, 128, 255, 256, 4095, 4096, 32768, 65535, 65536} {
		if !s.takes(n) {
			continue
		}
		t := strings.Repeat("é", n/2) + strings.Repeat("e", n%2)
		all = append(all,
			inPieces(fmt.Sprintf("text-of-%d", n), opText, []byte(t), 1<<20),
			inPieces(fmt.Sprintf("binary-of-%d", n), opBinary, pattern(n), 1<<20),
		)
		if n <= 256 {
			all = append(all, inPieces(fmt.Sprintf("text-of-%d-byte-by-byte", n), opText, []byte(t), 1),
				inPieces(fmt.Sprintf("binary-of-%d-byte-by-byte", n), opBinary, pattern(n), 1))
		} else {
			all = append(all, inPieces(fmt.Sprintf("text-of-%d-in-pieces-of-997", n), opText, []byte(t), 997),
				inPieces(fmt.Sprintf("binary-of-%d-in-pieces-of-997", n), opBinary, pattern(n), 997))
		}
	}
	for _, n := range []int{5, 200, 65536} {
		if !s.takes(n) {
			continue
		}
		for at := 1; at <= 6+minimal(n); at++ {
			all = append(all, splitHeader(n, at))
		}
	}
	return append(all, badLengths()...)
}

// inPieces is an echo whose frame is sent in writes of size bytes.
func inPieces(name string, op byte, payload []byte, size int) Case {
	return exchange("5.2", name, func(c *conn) {
		c.sendBytes(raw(fin|op, payload), size)
		c.wantMessage(op, payload)
	}).echo()
}

// splitHeader is an echo of n bytes whose header is sent in two writes. The pong of a ping in the first one tells that
// the server has read up to there.
func splitHeader(n, at int) Case {
	return exchange("5.2", fmt.Sprintf("header-for-%d-split-at-%d", n, at), func(c *conn) {
		f := blob(pattern(n))
		c.send(ping("so far"), f[:at])
		c.wantPong("so far")
		c.send(f[at:])
		c.wantBlob(pattern(n))
	}).echo()
}

func badLengths() (all []Case) {
	for _, l := range []struct {
		form int
		n    uint64
	}{{2, 0}, {2, 1}, {2, 125}, {8, 0}, {8, 1}, {8, 125}, {8, 126}, {8, 65535}} {
		all = append(all, refusesEarly("5.2", fmt.Sprintf("length-%d-in-%d-bytes", l.n, l.form), 1002, header(fin|opBinary, l.form, l.n, defaultKey)))
	}
	for name, n := range map[string]uint64{"alone": 1 << 63, "and-5": 1<<63 | 5, "and-every-other": 1<<64 - 1} {
		all = append(all, refusesEarly("5.2", "top-bit-of-the-length-"+name, 1002, header(fin|opBinary, 8, n, defaultKey)))
	}
	return append(all, exchange("5.2", "top-bit-of-the-length-after-a-text", func(c *conn) {
		c.stopIn(text("before"), header(fin|opText, 8, 1<<63, defaultKey))
		c.wantText("before")
		c.wantClose(1002)
	}).echo())
}

// maskCases are the masking keys of RFC 6455, section 5.3.
func maskCases() (all []Case) {
	for op, name := range map[byte]string{opText: "text", opBinary: "binary", opPing: "ping", opPong: "pong", opClose: "close"} {
		all = append(all, refuses("5.1", "unmasked-"+name, 1002, unmasked(fin|op, nil)))
		if op != opClose {
			all = append(all, refuses("5.1", "unmasked-"+name+"-with-payload", 1002, unmasked(fin|op, []byte("bare"))))
		}
	}
	for name, key := range map[string][4]byte{
		"of-zeros": {}, "of-ones": {0xff, 0xff, 0xff, 0xff}, "with-one-bit": {0, 0, 0, 1}, "with-one-bit-at-the-other-end": {0x80},
		"that-counts": {1, 2, 3, 4},
	} {
		for _, n := range []int{4, 5, 129} {
			all = append(all, exchange("5.3", fmt.Sprintf("key-%s-for-%d", name, n), func(c *conn) {
				c.send(keyed(fin|opBinary, key, pattern(n)))
				c.wantBlob(pattern(n))
			}).echo())
		}
	}
	return append(all,
		refuses("5.1", "unmasked-continuation", 1002, begin("a"), unmasked(fin|opContinuation, []byte("b"))),
		exchange("5.1", "unmasked-text-after-a-text", func(c *conn) {
			c.send(text("before"), unmasked(fin|opText, []byte("bare")))
			c.wantText("before")
			c.wantClose(1002)
		}).echo(),
		exchange("5.3", "key-of-its-own-for-every-fragment", func(c *conn) {
			c.send(keyed(opText, [4]byte{1, 2, 3, 4}, []byte("abcde")), keyed(opContinuation, [4]byte{0xff, 0, 0xff, 0}, []byte("fgh")),
				keyed(fin|opContinuation, [4]byte{}, []byte("ij")))
			c.wantText("abcdefghij")
		}).echo(),
		exchange("5.3", "key-of-zeros-on-a-ping", func(c *conn) {
			c.send(keyed(fin|opPing, [4]byte{}, []byte("ping")))
			c.wantPong("ping")
		}),
	)
}

// fragmentCases are the orders of frames of RFC 6455, section 5.4.
func fragmentCases() []Case {
	return slices.Concat(fragmentsInOrder(), fragmentsOutOfOrder(), []Case{
		exchange("5.4", "ping-between-fragments-is-answered-before-the-message", func(c *conn) {
			c.send(begin("a"), ping("between"))
			c.wantPong("between")
			c.send(middle("b"), ping("again"))
			c.wantPong("again")
			c.send(end("c"))
			c.wantText("abc")
		}).echo(),
		exchange("5.4", "pong-between-fragments", func(c *conn) {
			c.send(begin("a"), pong("unasked"), end("b"))
			c.wantText("ab")
		}).echo(),
		exchange("5.4", "every-frame-in-a-write-of-its-own", func(c *conn) {
			c.sendEach(begin("a"), ping("1"), middle("b"), pong("2"), middle(""), ping("3"), end("c"))
			c.wantPong("1")
			c.wantPong("3")
			c.wantText("abc")
		}).echo(),
		exchange("5.4", "byte-by-byte", func(c *conn) {
			c.sendBytes(slices.Concat(begin("frag"), ping("p"), middle("men"), end("ted"), text("whole")), 1)
			c.wantPong("p")
			c.wantText("fragmented")
			c.wantText("whole")
		}).echo(),
		exchange("5.4", "close-within-a-message", func(c *conn) {
			c.send(begin("never whole"), bye(1000, ""))
			c.closed(1000)
		}),
	})
}

func fragmentsInOrder() []Case {
	single := make([][]byte, 0, 101)
	for range 99 {
		single = append(single, middle("x"))
	}
	single = append(append([][]byte{begin("x")}, single...), end("x"))
	binary := exchange("5.4", "binary-in-three", func(c *conn) {
		p := pattern(3000)
		c.send(raw(opBinary, p[:1000]), raw(opContinuation, p[1000:2000]), raw(fin|opContinuation, p[2000:]))
		c.wantBlob(p)
	}).echo()
	return []Case{
		binary,
		echoesText("5.4", "two-fragments", "ab", begin("a"), end("b")),
		echoesText("5.4", "three-fragments", "abc", begin("a"), middle("b"), end("c")),
		echoesText("5.4", "a-hundred-fragments", strings.Repeat("x", 101), single...),
		echoesText("5.4", "first-is-empty", "ab", begin(""), end("ab")),
		echoesText("5.4", "middle-is-empty", "ab", begin("a"), middle(""), end("b")),
		echoesText("5.4", "last-is-empty", "ab", begin("a"), middle("b"), end("")),
		echoesText("5.4", "all-are-empty", "", begin(""), middle(""), end("")),
		echoesText("5.4", "only-the-middle-is-not-empty", "b", begin(""), middle("b"), end("")),
		echoesText("5.4", "text-cut-within-a-character", "aéb", begin("a\xc3"), end("\xa9b")),
		echoesText("5.4", "text-cut-within-a-character-around-an-empty-fragment", "€", begin("\xe2"), middle(""), middle("\x82"), end("\xac")),
		exchange("5.4", "two-messages", func(c *conn) {
			c.send(begin("a"), end("b"), begin("c"), end("d"), text("e"))
			c.wantText("ab")
			c.wantText("cd")
			c.wantText("e")
		}).echo(),
		exchange("5.4", "text-and-binary-by-turns", func(c *conn) {
			c.send(begin("a"), end("b"), raw(opBinary, []byte{0xff}), raw(fin|opContinuation, []byte{0xfe}), text("c"))
			c.wantText("ab")
			c.wantBlob([]byte{0xff, 0xfe})
			c.wantText("c")
		}).echo(),
	}
}

// fragmentsOutOfOrder are every order of frames that makes no messages.
func fragmentsOutOfOrder() []Case {
	all := []Case{
		refuses("5.4", "continuation-without-start", 1002, middle("a")),
		refuses("5.4", "last-continuation-without-start", 1002, end("a")),
		refuses("5.4", "empty-continuation-without-start", 1002, end("")),
		refuses("5.4", "text-within-a-message", 1002, begin("a"), text("b")),
		refuses("5.4", "binary-within-a-message", 1002, begin("a"), blob([]byte("b"))),
		refuses("5.4", "start-within-a-message", 1002, begin("a"), begin("b")),
		refuses("5.4", "start-of-a-binary-within-a-text", 1002, begin("a"), raw(opBinary, []byte("b"))),
		refuses("5.4", "text-within-a-binary", 1002, raw(opBinary, []byte("a")), text("b")),
		refuses("5.4", "text-within-a-message-after-a-continuation", 1002, begin("a"), middle("b"), text("c")),
		refuses("5.4", "text-within-an-empty-message", 1002, begin(""), text("")),
		refusesEarly("5.4", "continuation-without-start-by-its-header", 1002, partial(fin|opContinuation, 100, nil)),
		refusesEarly("5.4", "text-within-a-message-by-its-header", 1002, begin("a"), partial(fin|opText, 100, nil)),
	}
	for name, before := range map[string][][]byte{
		"a-text": {text("ab")}, "a-message-in-fragments": {begin("a"), end("b")},
		"a-message-with-a-ping-in-it": {begin("a"), pong("unasked"), end("b")},
	} {
		for kind, f := range map[string][]byte{"continuation": middle("c"), "last-continuation": end("c"), "empty-continuation": end("")} {
			all = append(all, exchange("5.4", kind+"-after-"+name, func(c *conn) {
				c.send(slices.Concat(before, [][]byte{f, text("after")})...)
				c.wantText("ab")
				c.wantClose(1002)
			}).echo())
		}
	}
	return append(all, exchange("5.4", "text-within-a-message-after-a-ping", func(c *conn) {
		c.send(begin("a"), ping("p"), text("b"))
		c.wantPong("p")
		c.wantClose(1002)
	}))
}
