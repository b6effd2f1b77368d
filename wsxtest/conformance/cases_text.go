package conformance

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

const greek = "κόσμε"

// sequence is a text, right or wrong.
type sequence struct{ name, s string }

// textCases are RFC 6455, section 8.1: every class of sequences of RFC 3629 and of what is not.
func textCases() (all []Case) {
	valid, invalid := validSequences(), invalidSequences()
	for _, v := range valid {
		all = append(all, echoesText("5.6", "valid-"+v.name, greek+v.s+greek, text(greek+v.s+greek)))
	}
	for _, c := range []string{"é", "€", "😀", greek} {
		all = append(all, divided(c)...)
	}
	for _, i := range invalid {
		all = append(all,
			refuses("8.1", "invalid-"+i.name, 1007, text(greek+i.s+greek)),
			refuses("8.1", "invalid-"+i.name+"-by-bytes-in-fragments", 1007, byBytes(greek+i.s)...),
			unfinishedFrame(i),
			unfinishedMessage(i),
		)
	}
	return append(append(all, cutCases()...), textOrderCases()...)
}

// divided cuts a text at each of its bytes, over frames and over writes.
func divided(s string) (all []Case) {
	name := fmt.Sprintf("%U", []rune(s)[0])
	if utf8.RuneCountInString(s) > 1 {
		name = "greek"
	}
	for at := 1; at < len(s); at++ {
		all = append(all,
			echoesText("5.6", fmt.Sprintf("%s-cut-at-%d-over-frames", name, at), s, begin(s[:at]), end(s[at:])),
			exchange("5.6", fmt.Sprintf("%s-cut-at-%d-over-writes", name, at), func(c *conn) {
				f := text(s)
				c.send(ping("so far"), f[:6+at])
				c.wantPong("so far")
				c.send(f[6+at:])
				c.wantText(s)
			}).echo(),
		)
	}
	return append(all, echoesText("5.6", name+"-by-bytes-in-fragments", s, byBytes(s)...))
}

// byBytes makes a fragment of each byte.
func byBytes(s string) (frames [][]byte) {
	for i := range len(s) {
		switch {
		case i == 0:
			frames = append(frames, begin(s[:1]))
		case i == len(s)-1:
			frames = append(frames, end(s[i:]))
		default:
			frames = append(frames, middle(s[i:i+1]))
		}
	}
	return frames
}

// firstWrong returns how many bytes of s it takes to see that it is no text; 0 when that shows only at its end.
func firstWrong(s string) int {
	for start := 0; start < len(s); {
		_, size := utf8.DecodeRuneInString(s[start:])
		if size > 1 || s[start] < utf8.RuneSelf {
			start += size
			continue
		}
		for n := start + 1; n <= len(s); n++ {
			if utf8.FullRuneInString(s[start:n]) {
				return n
			}
		}
		return 0
	}
	return 0
}

// unfinishedFrame sends a text up to its first wrong byte. The frame says that more is to come, and it does not.
func unfinishedFrame(i sequence) Case {
	s := greek + i.s + " "
	return refusesEarly("8.1", "invalid-"+i.name+"-in-an-unfinished-frame", 1007, partial(fin|opText, len(s)+100, []byte(s[:firstWrong(s)])))
}

// unfinishedMessage sends a text up to its first wrong byte. The message goes on, and the rest does not come.
func unfinishedMessage(i sequence) Case {
	s := greek + i.s + " "
	n := firstWrong(s)
	return refuses("8.1", "invalid-"+i.name+"-in-an-unfinished-message", 1007, begin(s[:n-1]), middle(s[n-1:n]))
}

func validSequences() []sequence {
	all := []sequence{
		{"greek", greek}, {"hello", "Hello-µ@ßöäüàá-UTF-8!!"}, {"NUL", "\x00"}, {"U+007F", "\x7f"}, {"U+0080", "\u0080"}, {"U+07FF", "\u07ff"},
		{"U+0800", "\u0800"}, {"U+D7FF", "\ud7ff"}, {"U+E000", "\ue000"}, {"U+FFFD", "\ufffd"}, {"U+10000", "\U00010000"},
		{"U+10FFFF", "\U0010ffff"}, {"U+FEFF", "\ufeff"}, {"every-ASCII", ascii()},
	}
	for _, r := range []rune{0xfff9, 0xfffa, 0xfffb, 0xfffc, 0xfdd0, 0xfdef, 0xfffe, 0xffff} {
		all = append(all, sequence{fmt.Sprintf("special-%U", r), string(r)})
	}
	for plane := rune(1); plane <= 16; plane++ { // the last two of each plane are no characters, and valid
		all = append(all, sequence{fmt.Sprintf("noncharacters-of-plane-%d", plane), string([]rune{plane<<16 | 0xfffe, plane<<16 | 0xffff})})
	}
	return all
}

func ascii() string {
	b := make([]byte, 128)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}

// invalidSequences are wrong whatever follows them, or else end in a byte that a further one makes wrong.
func invalidSequences() []sequence {
	all := []sequence{
		{"5-bytes-first", "\xf8\x88\x80\x80\x80"}, {"6-bytes-first", "\xfc\x84\x80\x80\x80\x80"},
		{"4-bytes-past-the-last", "\xf7\xbf\xbf\xbf"}, {"5-bytes-last", "\xfb\xbf\xbf\xbf\xbf"}, {"6-bytes-last", "\xfd\xbf\xbf\xbf\xbf\xbf"},
		{"U+110000", "\xf4\x90\x80\x80"}, {"U+13FFFF", "\xf4\xbf\xbf\xbf"}, {"U+140000", "\xf5\x80\x80\x80"},
		{"continuation-80", "\x80"}, {"continuation-BF", "\xbf"}, {"all-continuations", continuations()},
		{"bytes-FE", "\xfe"}, {"bytes-FF", "\xff"}, {"bytes-FE-FE-FF-FF", "\xfe\xfe\xff\xff"},
		{"overlong-slash-in-2", "\xc0\xaf"}, {"overlong-slash-in-3", "\xe0\x80\xaf"}, {"overlong-slash-in-4", "\xf0\x80\x80\xaf"},
		{"overlong-slash-in-5", "\xf8\x80\x80\x80\xaf"}, {"overlong-slash-in-6", "\xfc\x80\x80\x80\x80\xaf"},
		{"longest-overlong-in-2", "\xc1\xbf"}, {"longest-overlong-in-3", "\xe0\x9f\xbf"}, {"longest-overlong-in-4", "\xf0\x8f\xbf\xbf"},
		{"overlong-NUL-in-2", "\xc0\x80"}, {"overlong-NUL-in-3", "\xe0\x80\x80"}, {"overlong-NUL-in-4", "\xf0\x80\x80\x80"},
		{"surrogates-in-a-pair", "\xed\xa0\x80\xed\xb0\x80"}, {"last-surrogates-in-a-pair", "\xed\xaf\xbf\xed\xbf\xbf"},
		{"late-byte-of-3", "\xe2\x82\x28"}, {"late-byte-of-4", "\xf0\x9f\x98\x28"},
	}
	for _, r := range []string{"\xa0\x80", "\xad\xbf", "\xae\x80", "\xaf\xbf", "\xb0\x80", "\xbe\x80", "\xbf\xbf"} {
		all = append(all, sequence{fmt.Sprintf("surrogate-%X", "\xed"+r), "\xed" + r})
	}
	for _, s := range []string{"\xc2", "\xdf", "\xe0", "\xe1", "\xef", "\xf0", "\xf4", "\xe0\xa0", "\xef\xbf", "\xf0\x90", "\xf0\x90\x80", "\xf4\x8f\xbf"} {
		all = append(all, sequence{fmt.Sprintf("cut-%X", s), s + " "})
	}
	return all
}

func continuations() string {
	b := make([]byte, 64)
	for i := range b {
		b[i] = 0x80 | byte(i)
	}
	return string(b)
}

// cutCases are texts that end within a character.
func cutCases() (all []Case) {
	for _, s := range []string{"\xc3", "\xe2", "\xe2\x82", "\xf0", "\xf0\x9f", "\xf0\x9f\x98", greek + "\xce"} {
		name := fmt.Sprintf("text-ends-with-%X", s)
		all = append(all,
			refuses("8.1", name, 1007, text(s)),
			refuses("8.1", name+"-in-two-fragments", 1007, begin(greek), end(s)),
			refuses("8.1", name+"-and-an-empty-fragment", 1007, begin(s), end("")),
		)
	}
	return all
}

// textOrderCases are about what is before, after and between wrong text.
func textOrderCases() []Case {
	wrong := slices.Concat([]byte(greek), pattern(40), []byte("\xff\xc0"))
	return []Case{
		exchange("5.6", "binary-need-not-be-text", func(c *conn) { c.echoesBlob(wrong) }).echo(),
		exchange("5.6", "binary-in-fragments-need-not-be-text", func(c *conn) {
			c.send(raw(opBinary, wrong), raw(fin|opContinuation, wrong))
			c.wantBlob(slices.Concat(wrong, wrong))
		}).echo(),
		exchange("8.1", "wrong-text-after-a-text", func(c *conn) {
			c.send(text("before"), text("\xff"), text("after"))
			c.wantText("before")
			c.wantClose(1007)
		}).echo(),
		exchange("8.1", "wrong-text-after-a-ping", func(c *conn) {
			c.send(ping("before"), text("a\xc0"), ping("after"))
			c.wantPong("before")
			c.wantClose(1007)
		}),
		exchange("8.1", "character-is-not-carried-over-to-the-next-message", func(c *conn) {
			c.send(blob([]byte("\xe2\x82")), text("a"))
			c.wantBlob([]byte("\xe2\x82"))
			c.wantText("a")
		}).echo(),
		refuses("8.1", "character-that-the-next-message-would-finish", 1007, text("\xe2\x82"), text("\xac")),
		refuses("8.1", "wrong-text-with-a-ping-within-a-character", 1007, begin("\xe2"), pong("unasked"), end("\x28")),
		echoesText("8.1", "pong-within-a-character", "€", begin("\xe2"), pong("unasked"), middle("\x82"), end("\xac")),
		refuses("8.1", "wrong-byte-after-4-KiB", 1007, text(strings.Repeat("x", 4096)+"\xff")),
		refusesEarly("8.1", "wrong-byte-after-4-KiB-in-an-unfinished-frame", 1007, partial(fin|opText, 8192, []byte(strings.Repeat("x", 4096)+"\xff"))),
	}
}
