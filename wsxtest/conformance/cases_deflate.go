package conformance

import (
	"bytes"
	"compress/flate"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// hello is "Hello" as in RFC 7692, section 7.2.3.1.
const hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"

// deflateExchange is an exchange after permessage-deflate was agreed on, as the offer without parameters has it.
func deflateExchange(section, name string, run func(c *conn, d *deflater)) Case {
	return Case{Section: section, Name: name, run: func(s *Server) error {
		c, resp, err := open(s, set(extensions, deflateName))
		if err != nil {
			return err
		}
		a, ok, err := agreed(resp.header, deflateName)
		if err == nil && !ok {
			err = errDeclined
		}
		if err != nil {
			_ = c.nc.Close()
			return err
		}
		return c.conclude(func(c *conn) { run(c, c.agree(a)) })
	}}
}

// inflates is a case whose frames make up a text.
func inflates(section, name, want string, in ...[]byte) Case {
	return deflateExchange(section, name, func(c *conn, _ *deflater) {
		c.send(in...)
		c.wantText(want)
	}).echo()
}

// deflateRefuses is refuses after permessage-deflate was agreed on.
func deflateRefuses(section, name string, status int, in ...[]byte) Case {
	return deflateExchange(section, name, func(c *conn, _ *deflater) {
		c.send(in...)
		c.wantClose(status)
	})
}

func squeezed(payload string) []byte { return raw(fin|rsv1|opText, []byte(payload)) }

// deflateCases are compressed messages (RFC 7692, sections 6 and 7.2).
func deflateCases(s *Server) []Case {
	return slices.Concat(sizeCases(s), exampleCases(), blockCases(), takeoverCases(), compressedFragmentCases(),
		rsv1Cases(), corruptCases(), compressedTextCases(), bombCases(s))
}

// sizeCases are messages of many sizes that compress well, and not at all.
func sizeCases(s *Server) (all []Case) {
	for _, n := range []int{0, 1, 2, 5, 125, 126, 127, 128, 511, 512, 1000, 4096, 32768, 65535, 65536} {
		if !s.takes(n) {
			continue
		}
		t := strings.Repeat("compressible ", n/13+1)[:n]
		noise := make([]byte, n)
		r := rand.New(rand.NewPCG(1, uint64(n)))
		for i := range noise {
			noise[i] = byte(r.Uint32())
		}
		all = append(all,
			deflateExchange("7692-7.2.2", fmt.Sprintf("text-of-%d", n), func(c *conn, d *deflater) {
				c.send(squeezed(string(d.deflate([]byte(t)))))
				c.wantText(t)
			}).echo(),
			deflateExchange("7692-7.2.2", fmt.Sprintf("noise-of-%d", n), func(c *conn, d *deflater) {
				c.send(raw(fin|rsv1|opBinary, d.deflate(noise)))
				c.wantBlob(noise)
			}).echo(),
			deflateExchange("7692-7.2.2", fmt.Sprintf("text-of-%d-in-pieces", n), func(c *conn, d *deflater) {
				c.sendBytes(squeezed(string(d.deflate([]byte(t)))), 11)
				c.wantText(t)
			}).echo(),
			inflates("7692-6", fmt.Sprintf("uncompressed-text-of-%d", n), t, text(t)),
		)
	}
	return all
}

// exampleCases are those of RFC 7692, section 7.2.3.
func exampleCases() []Case {
	return []Case{
		inflates("7692-7.2.3.1", "one-block", "Hello", squeezed(hello)),
		inflates("7692-7.2.3.1", "one-block-in-two-fragments", "Hello", raw(rsv1|opText, []byte("\xf2\x48\xcd")), end("\xc9\xc9\x07\x00")),
		inflates("7692-7.2.3.1", "one-block-byte-by-byte", "Hello", squeezedBytes(hello)...),
		deflateExchange("7692-7.2.3.2", "shared-window", func(c *conn, d *deflater) {
			second := hello
			if d.takeover {
				second = "\xf2\x00\x11\x00\x00"
			}
			c.send(squeezed(hello), squeezed(second))
			c.wantText("Hello")
			c.wantText("Hello")
		}).echo(),
		inflates("7692-7.2.3.3", "stored-block", "Hello", squeezed("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00")),
		inflates("7692-7.2.3.4", "BFINAL", "Hello", squeezed("\xf3\x48\xcd\xc9\xc9\x07\x00\x00")),
		inflates("7692-7.2.3.5", "two-blocks", "Hello", squeezed("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00")),
		inflates("7692-7.2.3.6", "empty", "", squeezed("\x00")),
		inflates("7692-7.2.3.6", "empty-in-a-block", "", squeezed("\x02\x00")),
	}
}

// squeezedBytes makes a fragment of each byte of a compressed payload.
func squeezedBytes(payload string) [][]byte {
	frames := byBytes(payload)
	frames[0] = raw(rsv1|opText, []byte(payload[:1]))
	return frames
}

// blockCases are messages of every type of block.
func blockCases() []Case {
	prose := []byte(strings.Repeat("It is a truth universally acknowledged, that a single test in possession of a good fortune. ", 10))
	all := []Case{
		deflateExchange("7692-7.2.1", "BFINAL-and-then-more-messages", func(c *conn, _ *deflater) {
			c.send(squeezed("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), squeezed(hello), text("bare"), squeezed("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"))
			for _, s := range []string{"Hello", "Hello", "bare", "Hello"} {
				c.wantText(s)
			}
		}).echo(),
		inflates("7692-7.2.1", "BFINAL-on-a-stored-block", "Hello", squeezed("\x01\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00")),
		inflates("7692-7.2.1", "two-stored-blocks", "Hello", squeezed("\x00\x02\x00\xfd\xffHe\x00\x03\x00\xfc\xffllo\x00")),
		inflates("7692-7.2.1", "empty-stored-blocks", "Hello", squeezed(strings.Repeat("\x00\x00\x00\xff\xff", 5)+hello)),
		inflates("7692-7.2.1", "ten-blocks", string(prose), squeezed(string(deflated(6, slices.Collect(slices.Chunk(prose, 95))...)))),
		inflates("7692-7.2.1", "blocks-of-several-types", "Hello"+string(prose)+"Hello",
			squeezed("\x00\x05\x00\xfa\xffHello"+string(deflated(9, prose))+tail+hello)),
	}
	for name, level := range map[string]int{"huffman-only": flate.HuffmanOnly, "stored": flate.NoCompression, "fastest": flate.BestSpeed, "default": 6, "best": flate.BestCompression} {
		all = append(all, inflates("7692-7.2.1", "level-"+name, string(prose), squeezed(string(deflated(level, prose)))))
	}
	return all
}

// takeoverCases are many messages on one connection.
func takeoverCases() []Case {
	record := func(i int) string {
		return fmt.Sprintf(`{"type":"reading","sensor":"s-%d","value":%d.5,"unit":"K","at":"2024-02-%02dT00:00:00Z"}`, i%7, i*31, i%28+1)
	}
	return []Case{
		deflateExchange("7692-7.1.1", "sixty-messages-in-turn", func(c *conn, d *deflater) {
			for i := range 60 {
				c.send(squeezed(string(d.deflate([]byte(record(i))))))
				c.wantText(record(i))
			}
		}).echo(),
		deflateExchange("7692-7.1.1", "sixty-messages-in-one-write", func(c *conn, d *deflater) {
			var frames [][]byte
			for i := range 60 {
				frames = append(frames, squeezed(string(d.deflate([]byte(record(i))))))
			}
			c.send(frames...)
			for i := range 60 {
				c.wantText(record(i))
			}
		}).echo(),
		deflateExchange("7692-7.1.1", "longer-than-the-window", func(c *conn, d *deflater) {
			for i := range 40 {
				s := c.server.cut(strings.Repeat(record(i), 20)[:1600])
				c.send(squeezed(string(d.deflate([]byte(s)))))
				c.wantText(s)
			}
		}).echo(),
		deflateExchange("7692-6", "compressed-and-not-by-turns", func(c *conn, d *deflater) {
			for i := range 20 {
				c.send(squeezed(string(d.deflate([]byte(record(i))))), text(record(i)), ping("between"))
				c.wantText(record(i))
				c.wantText(record(i))
				c.wantPong("between")
			}
		}).echo(),
		deflateExchange("7692-7.1.1", "each-message-by-itself", func(c *conn, _ *deflater) {
			for i := range 20 {
				c.send(squeezed(string(deflated(6, []byte(record(i))))))
				c.wantText(record(i))
			}
		}).echo(),
	}
}

// compressedFragmentCases are compressed messages in fragments.
func compressedFragmentCases() (all []Case) {
	t := strings.Repeat("fragments of what is compressed as a whole; ", 20)
	p := deflated(6, []byte(t))
	for at := 0; at <= len(p); at += max(1, len(p)/8) {
		all = append(all, inflates("7692-6.1", fmt.Sprintf("cut-at-%d", at), t, raw(rsv1|opText, p[:at]), raw(fin|opContinuation, p[at:])))
	}
	return append(all,
		inflates("7692-6.1", "byte-by-byte", t, squeezedBytes(string(p))...),
		inflates("7692-6.1", "with-empty-fragments", "Hello", raw(rsv1|opText, nil), middle(hello[:3]), middle(""), middle(hello[3:]), end("")),
		deflateExchange("7692-6.1", "with-a-ping-between", func(c *conn, _ *deflater) {
			c.send(raw(rsv1|opText, []byte(hello[:3])), ping("between"))
			c.wantPong("between")
			c.send(end(hello[3:]))
			c.wantText("Hello")
		}).echo(),
		inflates("7692-6", "fragments-that-are-not-compressed", "abc", begin("a"), middle("b"), end("c")),
	)
}

// rsv1Cases are frames that may not have RSV1 (RFC 7692, sections 6 and 6.1), and others that are as wrong as without.
func rsv1Cases() (all []Case) {
	for op, name := range map[byte]string{opPing: "ping", opPong: "pong", opClose: "close"} {
		all = append(all,
			deflateRefuses("7692-6.1", "RSV1-on-"+name, 1002, raw(fin|rsv1|op, nil)),
			deflateRefuses("7692-6.1", "RSV1-on-"+name+"-within-a-message", 1002, raw(rsv1|opText, []byte(hello[:3])), raw(fin|rsv1|op, nil)),
		)
	}
	return append(all,
		deflateRefuses("7692-6.1", "RSV1-on-the-last-fragment", 1002, raw(rsv1|opText, []byte(hello[:3])), raw(fin|rsv1|opContinuation, []byte(hello[3:]))),
		deflateRefuses("7692-6.1", "RSV1-on-a-middle-fragment", 1002, raw(rsv1|opText, []byte(hello[:3])), raw(rsv1|opContinuation, []byte(hello[3:]))),
		deflateRefuses("7692-6.1", "RSV1-on-the-last-fragment-alone", 1002, begin("a"), raw(fin|rsv1|opContinuation, []byte(hello))),
		deflateRefuses("7692-6.1", "RSV1-on-a-continuation-of-nothing", 1002, raw(fin|rsv1|opContinuation, []byte(hello))),
		deflateRefuses("7692-6", "RSV2", 1002, raw(fin|rsv2|opText, []byte("a"))),
		deflateRefuses("7692-6", "RSV3", 1002, raw(fin|rsv3|opText, []byte("a"))),
		deflateRefuses("7692-6", "RSV1-and-RSV2", 1002, raw(fin|rsv1|rsv2|opText, []byte(hello))),
		deflateRefuses("7692-6", "RSV1-and-RSV3", 1002, raw(fin|rsv1|rsv3|opBinary, []byte(hello))),
		deflateRefuses("7692-6", "RSV1-on-a-reserved-opcode", 1002, raw(fin|rsv1|3, []byte(hello))),
		deflateRefuses("7692-6", "unmasked", 1002, unmasked(fin|rsv1|opText, []byte(hello))),
		deflateRefuses("7692-6", "continuation-after-a-compressed-message-within-another", 1002, raw(rsv1|opText, []byte(hello[:3])), squeezed(hello)),
	)
}

// corruptCases are payloads that do not inflate.
func corruptCases() (all []Case) {
	prose := deflated(9, []byte(strings.Repeat("Dynamic codes need a text with many letters: the quick brown fox jumps. ", 30)))
	for name, payload := range map[string]string{
		"block-of-type-3": "\x06\x00", "last-block-of-type-3": "\x07\x00", "all-ones": strings.Repeat("\xff", 20),
		"stored-length-that-does-not-match": "\x00\x05\x00\x05\x00Hello\x00", "reference-to-before-the-start": "\xf2\x00\x11\x00\x00",
		"too-many-codes": "\xfc\xff\xff\x00", "stored-block-cut": "\x00\x0a\x00\xf5\xffabc", "dynamic-block-cut": string(prose[:8]),
		"stored-block-of-64-KiB-cut": "\x00\xff\xff\x00\x00abc", "plain-text": "this is a plain text with the wrong bit set",
	} {
		all = append(all,
			deflateRefuses("7692-7.2.2", "corrupt-"+name, 1007, squeezed(payload)),
			deflateRefuses("7692-7.2.2", "corrupt-binary-"+name, 1007, raw(fin|rsv1|opBinary, []byte(payload))),
			deflateExchange("7692-7.2.2", "corrupt-after-a-message-"+name, func(c *conn, _ *deflater) {
				// Stored and without references, so that what follows has nothing to refer to that fits.
				c.send(text("before"), squeezed(payload), text("after"))
				c.wantText("before")
				c.wantClose(1007)
			}).echo(),
		)
	}
	return append(all, deflateRefuses("7692-7.2.2", "corrupt-in-fragments", 1007, raw(rsv1|opText, []byte("\x00\x05\x00")), end("\x05\x00Hello\x00")))
}

// compressedTextCases are wrong texts that were compressed.
func compressedTextCases() (all []Case) {
	for _, i := range invalidSequences() {
		p := deflated(6, []byte(greek+i.s+" "+greek))
		all = append(all, deflateRefuses("8.1", "compressed-"+i.name, 1007, squeezed(string(p))))
	}
	cut := deflated(6, []byte(greek+"\xe2\x82"))
	split := deflated(6, []byte(strings.Repeat(greek, 50)))
	return append(all,
		deflateRefuses("8.1", "compressed-text-ends-within-a-character", 1007, squeezed(string(cut))),
		deflateRefuses("8.1", "compressed-text-in-fragments-ends-within-a-character", 1007, raw(rsv1|opText, cut[:5]), raw(fin|opContinuation, cut[5:])),
		inflates("8.1", "compressed-text-in-fragments", strings.Repeat(greek, 50), raw(rsv1|opText, split[:7]), raw(fin|opContinuation, split[7:])),
		deflateExchange("8.1", "compressed-binary-need-not-be-text", func(c *conn, _ *deflater) {
			c.send(raw(fin|rsv1|opBinary, deflated(6, []byte("\xff\xc0\xaf"))))
			c.wantBlob([]byte("\xff\xc0\xaf"))
		}).echo(),
	)
}

// bombCases are messages that are too long once they are inflated.
func bombCases(s *Server) []Case {
	most := s.MaxMessage
	if most < 0 {
		return nil
	}
	at := bytes.Repeat([]byte("t"), most)
	over := deflated(6, append(at[:most:most], 't'))
	bomb := deflated(9, make([]byte, 64*most+1<<20))
	half := len(bomb) / 2
	return []Case{
		inflates("10.4", "compressed-at-the-limit", string(at), squeezed(string(deflated(6, at)))),
		deflateRefuses("7.4.1", "compressed-one-over-the-limit", 1009, squeezed(string(over))),
		deflateRefuses("7.4.1", "compressed-binary-one-over-the-limit", 1009, raw(fin|rsv1|opBinary, over)),
		deflateRefuses("7.4.1", "bomb", 1009, squeezed(string(bomb))),
		deflateRefuses("7.4.1", "bomb-in-fragments", 1009, raw(rsv1|opBinary, bomb[:half]), raw(fin|opContinuation, bomb[half:])),
		deflateRefuses("7.4.1", "stored-and-one-over-the-limit", 1009, squeezed(string(deflated(0, append(at[:most:most], 't'))))),
		deflateExchange("7.4.1", "bomb-after-a-message", func(c *conn, _ *deflater) {
			c.send(squeezed(hello), squeezed(string(bomb)))
			c.wantText("Hello")
			c.wantClose(1009)
		}).echo(),
	}
}
