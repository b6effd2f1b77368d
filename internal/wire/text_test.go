package wire_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/fiberwsx/wsx/ws"
)

var validTexts = map[string]string{
	"ASCII":             "Hello, world",
	"Greek":             "κόσμε",
	"boundaries":        "\u0000\u007f\u0080\u07ff\u0800\uffff\U00010000\U0010ffff",
	"around surrogates": "\ud7ff\ue000",
	"non-characters":    "\ufffe\uffff\ufdd0\U0001fffe",
	"U+FFFD":            "\ufffd and \ufffd",
	"BOM":               "\ufeffx",
	"emoji":             "👩‍💻🏳️‍🌈",
}

// invalidTexts has up to which byte the text could still have become valid.
var invalidTexts = []struct {
	name string
	text string
	bad  int // index of the byte that shows it; len(text) when only the end does
}{
	{"continuation first", "\x80", 0},
	{"last continuation first", "ab\xbfcd", 2},
	{"FE", "x\xfe", 1},
	{"FF", "\xffx", 0},
	{"overlong slash of 2", "\xc0\xaf", 0},
	{"overlong 7F", "\xc1\xbf", 0},
	{"overlong slash of 3", "\xe0\x80\xaf", 1},
	{"overlong 7FF", "\xe0\x9f\xbf", 1},
	{"overlong slash of 4", "\xf0\x80\x80\xaf", 1},
	{"overlong FFFF", "\xf0\x8f\xbf\xbf", 1},
	{"five bytes", "\xf8\x88\x80\x80\x80", 0},
	{"six bytes", "\xfc\x84\x80\x80\x80\x80", 0},
	{"first surrogate", "\xed\xa0\x80", 1},
	{"last surrogate", "ok\xed\xbf\xbf", 3},
	{"surrogate pair", "\xed\xa0\xbd\xed\xb8\x80", 1},
	{"over 10FFFF", "\xf4\x90\x80\x80", 1},
	{"F5", "\xf5\x80\x80\x80", 0},
	{"two bytes cut by ASCII", "\xc3a", 1},
	{"three bytes cut by ASCII", "\xe2\x82a", 2},
	{"four bytes cut by ASCII", "\xf0\x9f\x98a", 3},
	{"four bytes cut by a new one", "\xf0\x9f\x98\xf0\x9f\x98\x80", 3},
	{"Greek with a surrogate", "κόσμε\xed\xa0\x80edited", 11},
	{"two bytes cut by the end", "a\xc3", 2},
	{"three bytes cut by the end", "\xe2\x82", 2},
	{"four bytes cut by the end", "\xf0\x9f\x98", 3},
	{"bad after four KiB", strings.Repeat("é", 2048) + "\xff", 4096},
}

// textCases are section 8.1's: text in one frame, and in two that part at each of its bytes.
func textCases() (all []exchange) {
	for name, s := range validTexts {
		all = append(all, exchange{rfc: "8.1", name: name, in: text(s), saw: []string{describe("text", []byte(s))}})
		x := exchange{rfc: "8.1", name: name + " in fragments"}
		for i := range len(s) + 1 {
			x.in = join(x.in, first(s[:i]), more(""), last(s[i:]))
			x.saw = append(x.saw, describe("text", []byte(s)))
		}
		all = append(all, x)
	}
	for _, row := range invalidTexts {
		all = append(all,
			exchange{rfc: "8.1", name: row.name, in: text(row.text), close: 1007},
			exchange{rfc: "8.1", name: row.name + " behind a fragment", in: join(first("fine "), last(row.text)), close: 1007})
		if row.bad == len(row.text) {
			continue
		}
		upTo := row.text[:row.bad+1]
		started := text(upTo + strings.Repeat(".", 100))
		all = append(all,
			exchange{rfc: "8.1", name: row.name + " in a message that goes on", in: join(first(upTo)), close: 1007},
			exchange{rfc: "8.1", name: row.name + " in a frame that goes on", in: started[:len(started)-100], close: 1007})
		for i := max(0, row.bad-3); i <= row.bad; i++ {
			all = append(all, exchange{
				rfc: "8.1", name: fmt.Sprintf("%s, parted at %d", row.name, i), in: join(first(upTo[:i]), more(upTo[i:])), close: 1007,
			})
		}
	}
	return all
}

// TestTextIsRefusedAtItsFirstBadByte also checks that it is not refused before.
func TestTextIsRefusedAtItsFirstBadByte(t *testing.T) {
	for _, row := range invalidTexts {
		if row.bad == len(row.text) {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			want(t, "the row is invalid", utf8.ValidString(row.text), false)
			synctest.Test(t, func(t *testing.T) {
				r := piped(t, limits(), &recorder{})
				frame := text(row.text + strings.Repeat(".", 200))
				at := len(frame) - 200 - len(row.text) + row.bad
				for _, b := range frame[:at] {
					must(t, r.client.Raw([]byte{b}))
				}
				synctest.Wait()
				if r.Cause() != nil {
					t.Fatalf("closing before the bad byte came: %v", r.Cause())
				}
				must(t, r.client.Raw(frame[at:at+1]))
				synctest.Wait()
				want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusInvalidPayload)
				want(t, "close frame", r.client.ReadClose().Status, ws.StatusInvalidPayload)
			})
		})
	}
}
