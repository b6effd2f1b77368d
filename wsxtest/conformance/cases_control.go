package conformance

import (
	"fmt"
	"slices"
	"strings"
)

// controlCases are RFC 6455, section 5.5, without the close.
func controlCases() []Case {
	return slices.Concat(pingCases(), pongCases(), badControlCases())
}

func pingCases() (all []Case) {
	for _, n := range []int{0, 1, 2, 124, 125} {
		payload := string(pattern(n))
		all = append(all, exchange("5.5.2", fmt.Sprintf("ping-of-%d", n), func(c *conn) {
			c.send(ping(payload))
			c.wantPong(payload)
		}), exchange("5.5.2", fmt.Sprintf("ping-of-%d-byte-by-byte", n), func(c *conn) {
			c.sendBytes(ping(payload), 1)
			c.wantPong(payload)
		}))
	}
	return append(all,
		exchange("5.5.2", "ping-that-is-no-text", func(c *conn) {
			c.send(ping("\xff\xfe\x00\xc0"))
			c.wantPong("\xff\xfe\x00\xc0")
		}),
		exchange("5.5.2", "ten-pings-in-one-write", func(c *conn) { tenPings(c, c.send) }),
		exchange("5.5.2", "ten-pings-in-a-write-each", func(c *conn) { tenPings(c, c.sendEach) }),
		exchange("5.5.2", "ten-empty-pings", func(c *conn) {
			c.send(slices.Repeat([][]byte{ping("")}, 10)...)
			for range 10 {
				c.wantPong("")
			}
		}),
		exchange("5.5.2", "pings-between-texts", func(c *conn) {
			c.send(ping("1"), text("a"), ping("2"), text("b"), ping("3"))
			c.wantPong("1")
			c.wantPong("2")
			c.wantPong("3")
			c.wantText("a")
			c.wantText("b")
		}).echo(),
		exchange("5.5.2", "ping-after-an-echo", func(c *conn) {
			c.echoes("first")
			c.answers()
			c.echoes("second")
		}).echo(),
		exchange("5.5.2", "ping-and-close-in-one-write", func(c *conn) {
			c.send(ping("last words"), bye(1000, ""))
			c.wantPong("last words")
			c.closed(1000)
		}),
	)
}

func tenPings(c *conn, send func(...[]byte)) {
	var frames [][]byte
	for i := range 10 {
		frames = append(frames, ping(fmt.Sprintf("ping %d", i)))
	}
	send(frames...)
	for i := range 10 {
		c.wantPong(fmt.Sprintf("ping %d", i))
	}
}

func pongCases() (all []Case) {
	for _, n := range []int{0, 1, 125} {
		all = append(all, exchange("5.5.3", fmt.Sprintf("unsolicited-pong-of-%d", n), func(c *conn) {
			c.send(pong(string(pattern(n))))
			c.answers()
		}))
	}
	return append(all,
		exchange("5.5.3", "ten-unsolicited-pongs", func(c *conn) {
			c.send(slices.Repeat([][]byte{pong("unasked")}, 10)...)
			c.answers()
		}),
		exchange("5.5.3", "pong-then-text", func(c *conn) {
			c.send(pong("unasked"))
			c.echoes("text")
		}).echo(),
		exchange("5.5.3", "pong-then-ping-in-one-write", func(c *conn) {
			c.send(pong("unasked"), ping("asked"))
			c.wantPong("asked")
		}),
	)
}

// badControlCases are control frames that are too long or in fragments.
func badControlCases() (all []Case) {
	long := strings.Repeat("x", 126)
	for op, name := range map[byte]string{opClose: "close", opPing: "ping", opPong: "pong"} {
		all = append(all,
			refuses("5.5", name+"-of-126", 1002, raw(fin|op, []byte("\x03\xe8"+long[2:]))),
			refuses("5.5", name+"-of-65536", 1002, raw(fin|op, []byte("\x03\xe8"+strings.Repeat("x", 65534)))),
			refusesEarly("5.5", name+"-of-126-by-its-header", 1002, header(fin|op, 2, 126, defaultKey)),
			refusesEarly("5.5", name+"-with-a-64-bit-length-by-its-first-bytes", 1002, []byte{fin | op, masked | 127}),
			refuses("5.5", name+"-in-fragments", 1002, raw(op, nil), raw(fin|opContinuation, nil)),
			refuses("5.5", name+"-without-FIN", 1002, raw(op, []byte("\x03\xe8"))),
			refuses("5.5", name+"-without-FIN-within-a-message", 1002, begin("a"), raw(op, nil), end("b")),
			exchange("5.5", name+"-of-126-after-a-text", func(c *conn) {
				c.send(text("before"), raw(fin|op, []byte(long)), text("after"))
				c.wantText("before")
				c.wantClose(1002)
			}).echo(),
		)
	}
	return all
}
