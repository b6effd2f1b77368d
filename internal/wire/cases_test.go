package wire_test

import (
	"fmt"
	"strings"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

func lengthCases() (all []exchange) {
	for _, n := range []int{0, 1, 7, 31, 32, 33, 125, 126, 127, 128, 4096, 65535, 65536} {
		all = append(all, exchange{
			rfc: "5.2", name: fmt.Sprintf("binary of %d", n), in: blob(n), saw: []string{describe("binary", pattern(n))},
		})
	}
	for _, n := range []int{0, 125, 126, 127, 65535, 65536} {
		s := strings.Repeat("é", n/2) + strings.Repeat("e", n%2)
		all = append(all, exchange{
			rfc: "5.2", name: fmt.Sprintf("text of %d", n), in: text(s), saw: []string{describe("text", []byte(s))},
		})
	}
	half := strings.Repeat("h", 32<<10)
	return append(all,
		exchange{rfc: "5.2", name: "top bit of the length", in: []byte{0x82, 0xff, 0x80}, close: 1002},
		exchange{rfc: "5.2", name: "every bit of the length", in: header(0x82, 8, 1<<64-1), close: 1002},
		exchange{rfc: "5.2", name: "length of 0 in 2 bytes", in: header(0x82, 2, 0), close: 1002},
		exchange{rfc: "5.2", name: "length of 125 in 2 bytes", in: header(0x82, 2, 125), close: 1002},
		exchange{rfc: "5.2", name: "length of 0 in 8 bytes", in: header(0x82, 8, 0), close: 1002},
		exchange{rfc: "5.2", name: "length of 126 in 8 bytes", in: header(0x82, 8, 126), close: 1002},
		exchange{rfc: "5.2", name: "length of 65535 in 8 bytes", in: header(0x82, 8, 65535), close: 1002},
		exchange{rfc: "7.4.1", name: "one byte over the limit, by its header", in: header(0x82, 8, 65537), close: 1009},
		exchange{rfc: "7.4.1", name: "2^62, by its header", in: header(0x81, 8, 1<<62), close: 1009},
		exchange{rfc: "7.4.1", name: "2^63-1, by its header", in: header(0x01, 8, 1<<63-1), close: 1009},
		exchange{
			rfc: "7.4.1", name: "the limit in fragments", in: join(first(half), last(half)),
			saw: []string{describe("text", []byte(half+half))},
		},
		exchange{
			rfc: "7.4.1", name: "one byte over the limit in fragments, by the last header",
			in: join(first(half), more(half), header(0x80, 0, 1)), close: 1009,
		},
		exchange{
			rfc: "7.4.1", name: "nothing more at the limit", in: join(first(half), more(half), last("")),
			saw: []string{describe("text", []byte(half+half))},
		},
	)
}

func headerCases() (all []exchange) {
	for _, rsv := range []byte{0x40, 0x20, 0x10, 0x70} {
		for _, op := range []byte{0x0, 0x1, 0x2, 0x8, 0x9, 0xa} {
			all = append(all, exchange{
				rfc: "5.2", name: fmt.Sprintf("reserved bits %#x of opcode %d", rsv, op),
				in: []byte{0x80 | rsv | op, 0x80}, close: 1002,
			})
		}
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		all = append(all, exchange{
			rfc: "5.2", name: fmt.Sprintf("reserved opcode %d", op), in: []byte{0x80 | op, 0x80}, close: 1002,
		}, exchange{
			rfc: "5.2", name: fmt.Sprintf("reserved opcode %d behind a message", op),
			in: join(text("fine"), []byte{0x80 | op, 0x80}), saw: []string{`text "fine"`}, close: 1002,
		})
	}
	for _, head := range []byte{0x81, 0x82, 0x01, 0x88, 0x89, 0x8a} {
		all = append(all, exchange{
			rfc: "5.1", name: fmt.Sprintf("unmasked frame %#x", head), in: []byte{head, 0x02}, close: 1002,
		})
	}
	for _, key := range []string{"\x00\x00\x00\x00", "\xff\xff\xff\xff", "\x00\x00\x00\x01", "\x01\x00\x00\x00"} {
		all = append(all, exchange{
			rfc: "5.3", name: fmt.Sprintf("masking key %x", key), in: join([]byte("\x82\x85"+key), xor("Hello", key)),
			saw: []string{`binary "Hello"`},
		})
	}
	return all
}

// xor masks byte by byte, as section 5.3 puts it.
func xor(s, key string) []byte {
	b := []byte(s)
	for i := range b {
		b[i] ^= key[i%4]
	}
	return b
}

var fragmentCases = []exchange{
	{rfc: "5.4", name: "two fragments", in: join(first("Hel"), last("lo")), saw: []string{`text "Hello"`}},
	{rfc: "5.4", name: "three fragments", in: join(first("a"), more("b"), last("c")), saw: []string{`text "abc"`}},
	{rfc: "5.4", name: "empty first fragment", in: join(first(""), last("x")), saw: []string{`text "x"`}},
	{rfc: "5.4", name: "empty fragments in the middle", in: join(first("x"), more(""), more(""), last("y")), saw: []string{`text "xy"`}},
	{rfc: "5.4", name: "empty last fragment", in: join(first("x"), last("")), saw: []string{`text "x"`}},
	{rfc: "5.4", name: "empty fragments only", in: join(first(""), more(""), last("")), saw: []string{`text ""`}},
	{
		rfc: "5.4", name: "control frames in between",
		in:  join(first("a"), ping("1"), more("b"), pong("2"), ping(""), last("c"), ping("3")),
		saw: []string{`ping "1"`, `pong "2"`, `ping ""`, `text "abc"`, `ping "3"`},
	},
	{
		rfc: "5.4", name: "message after message",
		in:  join(first("a"), last("b"), text("c"), first("d"), last("e"), blob(2)),
		saw: []string{`text "ab"`, `text "c"`, `text "de"`, describe("binary", pattern(2))},
	},
	{rfc: "5.4", name: "close inside a message", in: join(first("a"), bye(1000, ""), last("b")), close: 1000},
	{rfc: "5.4", name: "last fragment without a first", in: last("x"), close: 1002},
	{rfc: "5.4", name: "fragment without a first", in: more("x"), close: 1002},
	{rfc: "5.4", name: "fragment after a whole message", in: join(text("a"), last("b")), saw: []string{`text "a"`}, close: 1002},
	{
		rfc: "5.4", name: "fragment after the last one", in: join(first("a"), last("b"), last("c")),
		saw: []string{`text "ab"`}, close: 1002,
	},
	{rfc: "5.4", name: "text inside a message", in: join(first("a"), text("b")), close: 1002},
	{rfc: "5.4", name: "binary inside a message", in: join(first("a"), header(0x82, 0, 1)), close: 1002},
	{rfc: "5.4", name: "another first fragment", in: join(first("a"), first("b")), close: 1002},
	{
		rfc: "5.4", name: "text inside a message, behind a ping", in: join(first("a"), ping("p"), text("b")),
		saw: []string{`ping "p"`}, close: 1002,
	},
	{rfc: "5.5", name: "ping in fragments", in: []byte{0x09, 0x80}, close: 1002},
	{rfc: "5.5", name: "pong in fragments", in: []byte{0x0a, 0x80}, close: 1002},
	{rfc: "5.5", name: "close in fragments", in: []byte{0x08, 0x82}, close: 1002},
	{rfc: "5.5", name: "ping of 126", in: []byte{0x89, 0xfe}, close: 1002},
	{rfc: "5.5", name: "ping of a 64-bit length", in: []byte{0x89, 0xff}, close: 1002},
	{rfc: "5.5", name: "pong of 126", in: []byte{0x8a, 0xfe}, close: 1002},
	{rfc: "5.5", name: "close of 126", in: []byte{0x88, 0xfe}, close: 1002},
}

var pingCases = []exchange{
	{rfc: "5.5.2", name: "empty ping", in: ping(""), saw: []string{`ping ""`}},
	{
		rfc: "5.5.2", name: "ping of 125", in: ping(strings.Repeat("\xfe", 125)),
		saw: []string{describe("ping", []byte(strings.Repeat("\xfe", 125)))},
	},
	{
		rfc: "5.5.2", name: "ten pings in a row",
		in:  join(ping("0"), ping("1"), ping("2"), ping("3"), ping("4"), ping("5"), ping("6"), ping("7"), ping("8"), ping("9")),
		saw: []string{`ping "0"`, `ping "1"`, `ping "2"`, `ping "3"`, `ping "4"`, `ping "5"`, `ping "6"`, `ping "7"`, `ping "8"`, `ping "9"`},
	},
	{rfc: "5.5.3", name: "pong that nobody asked for", in: pong("x"), saw: []string{`pong "x"`}},
	{rfc: "5.5.3", name: "empty pong", in: pong(""), saw: []string{`pong ""`}},
	{
		rfc: "5.5.3", name: "pongs, ping, message", in: join(pong("a"), pong("b"), ping("c"), text("d")),
		saw: []string{`pong "a"`, `pong "b"`, `ping "c"`, `text "d"`},
	},
}

func closeCases() (all []exchange) {
	for _, status := range []ws.Status{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		all = append(all, exchange{rfc: "7.4", name: fmt.Sprintf("code %d", status), in: bye(status, "tschüß"), close: status, reason: "tschüß"})
	}
	for _, status := range []ws.Status{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		all = append(all, exchange{rfc: "7.4", name: fmt.Sprintf("code %d", status), in: bye(status, ""), close: 1002})
	}
	for name, reason := range map[string]string{
		"stray byte": "a\x80", "cut rune": "a\xe2\x82", "surrogate": "\xed\xa0\x80", "overlong": "\xc0\xaf", "too big": "\xf4\x90\x80\x80",
	} {
		all = append(all, exchange{rfc: "5.5.1", name: "reason with a " + name, in: bye(1000, reason), close: 1007})
	}
	empty := wsxtest.AppendFrame(nil, true, wire.OpClose, nil)
	longest := strings.Repeat("r", 123)
	single := wsxtest.AppendFrame(nil, true, wire.OpClose, []byte{3})
	return append(all,
		exchange{rfc: "5.5.1", name: "close without a payload", in: empty, close: ws.StatusNoStatusRcvd},
		exchange{rfc: "5.5.1", name: "close of one byte", in: single, close: 1002},
		exchange{rfc: "5.5.1", name: "longest reason", in: bye(1000, longest), close: 1000, reason: longest},
		exchange{
			rfc: "5.5.1", name: "frames behind a close", in: join(text("a"), bye(1001, "x"), text("b"), ping("c"), bye(1000, "")),
			saw: []string{`text "a"`}, close: 1001,
		},
		exchange{rfc: "5.5.1", name: "rubbish behind a close", in: join(bye(4321, ""), pattern(3000)), close: 4321},
	)
}
