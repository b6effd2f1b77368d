package conformance

import (
	"fmt"
	"strings"
)

// closeCases are what a close frame may hold (RFC 6455, sections 5.5.1 and 7).
func closeCases() []Case {
	all := []Case{
		exchange("5.5.1", "close-without-a-payload", func(c *conn) { c.close(0) }),
		refuses("5.5.1", "close-of-one-byte", 1002, raw(fin|opClose, []byte{0x03})),
		closes("5.5.1", "close-with-a-reason", 1000, "done"),
		closes("5.5.1", "close-with-a-reason-of-123-bytes", 1000, strings.Repeat("r", 123)),
		closes("5.5.1", "close-with-a-reason-in-greek", 1000, "κόσμε"),
		closes("5.5.1", "close-with-a-reason-of-NULs", 1000, "\x00\x00"),
		exchange("5.5.1", "close-byte-by-byte", func(c *conn) {
			c.sendBytes(bye(1000, "slowly"), 1)
			c.closed(1000)
		}),
		exchange("5.5.1", "close-after-an-echo", func(c *conn) {
			c.echoes("before")
			c.close(1000)
		}).echo(),
		exchange("5.5.1", "text-and-close-in-one-write", func(c *conn) {
			c.send(text("before"), bye(1001, ""))
			c.wantText("before")
			c.closed(1001)
		}).echo(),
		exchange("5.5.1", "ten-texts-and-close-in-one-write", func(c *conn) {
			var frames [][]byte
			for i := range 10 {
				frames = append(frames, text(fmt.Sprintf("text %d", i)))
			}
			c.send(append(frames, bye(1000, ""))...)
			for i := range 10 {
				c.wantText(fmt.Sprintf("text %d", i))
			}
			c.closed(1000)
		}).echo(),
	}
	for name, reason := range map[string]string{
		"with-a-wrong-byte": "\xff", "with-a-cut-character": "abc\xc3", "with-an-overlong-slash": "\xc0\xaf",
		"with-a-surrogate": "\xed\xa0\x80", "over-U+10FFFF": "\xf4\x90\x80\x80", "with-a-wrong-byte-at-the-end": strings.Repeat("r", 122) + "\x80",
	} {
		all = append(all, refuses("8.1", "close-reason-"+name, 1007, bye(1000, reason)))
	}
	return append(all, statusCases()...)
}

// closes is a case in which the client closes and the server answers with the same status.
func closes(section, name string, status int, reason string) Case {
	return exchange(section, name, func(c *conn) {
		c.send(bye(status, reason))
		c.closed(status)
	})
}

// statusCases are the statuses of RFC 6455, section 7.4, and of the registry that it founded.
func statusCases() (all []Case) {
	for _, status := range []int{
		1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4001, 4999,
	} {
		section := "7.4.1"
		if status >= 3000 {
			section = "7.4.2"
		}
		all = append(all, closes(section, fmt.Sprintf("close-with-%d", status), status, ""),
			closes(section, fmt.Sprintf("close-with-%d-and-a-reason", status), status, "because"))
	}
	for _, status := range []int{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 32768, 65535} {
		section := "7.4.1"
		if status < 1000 || status > 1999 {
			section = "7.4.2"
		}
		all = append(all, refuses(section, fmt.Sprintf("close-with-%d", status), 1002, bye(status, "")))
	}
	return append(all,
		refuses("7.4.1", "close-with-1005-and-a-reason", 1002, bye(1005, "none")),
		refuses("7.4.2", "close-with-5000-and-a-reason", 1002, bye(5000, "none")),
	)
}

// dataAfterCloseCases are what the client does once it has closed (RFC 6455, sections 5.5.1 and 7.1).
func dataAfterCloseCases() (all []Case) {
	for name, then := range map[string][]byte{
		"text": text("late"), "binary": blob(pattern(1000)), "ping": ping("late"), "pong": pong("late"), "start": begin("late"),
		"continuation": end("late"), "close": bye(1000, ""), "close-with-another-status": bye(1001, ""),
		"bad-close": raw(fin|opClose, []byte{1}), "reserved-opcode": raw(fin|3, nil), "unmasked-text": unmasked(fin|opText, []byte("late")),
		"wrong-text": text("\xff"), "garbage": []byte(strings.Repeat("\xff\x00\x80\x7f", 100)),
		"ten-texts": []byte(strings.Repeat(string(text("late")), 10)), "half-a-frame": text("late")[:3],
	} {
		all = append(all, exchange("5.5.1", name+"-after-close", func(c *conn) {
			c.send(bye(1000, ""), then)
			c.closed(1000)
		}))
	}
	return append(all,
		exchange("5.5.1", "text-after-close-in-a-write-of-its-own", func(c *conn) {
			c.sendEach(bye(1000, ""), text("late"))
			c.closed(1000)
		}),
		exchange("5.5.1", "message-finished-after-close", func(c *conn) {
			c.send(begin("a"), bye(1000, ""), end("b"))
			c.closed(1000)
		}),
		exchange("5.5.1", "text-after-a-violation", func(c *conn) {
			c.send(raw(fin|3, nil), text("late"), ping("late"))
			c.wantClose(1002)
		}),
		exchange("5.5.1", "close-after-a-violation", func(c *conn) {
			c.send(raw(fin|3, nil), bye(1000, ""))
			c.wantClose(1002)
		}),
		exchange("7.1.1", "half-closed-after-close", func(c *conn) {
			c.send(bye(1000, ""))
			c.halfClose()
			c.closed(1000)
		}),
		exchange("7.1.1", "half-closed-after-text-and-close", func(c *conn) {
			c.send(text("before"), bye(1000, ""))
			c.halfClose()
			c.wantText("before")
			c.closed(1000)
		}).echo(),
		exchange("7.1.1", "half-closed-after-a-violation", func(c *conn) {
			c.send(raw(fin|3, nil))
			c.halfClose()
			c.wantClose(1002)
		}),
		exchange("7.1.1", "server-ends-the-connection-first", func(c *conn) { c.close(1000) }),
	)
}
