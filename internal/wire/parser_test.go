package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fiberwsx/wsx/internal/deflate"
	"github.com/fiberwsx/wsx/ws"
)

// The limits that the fuzzed parsers have: small, so that random input reaches them.
const (
	fuzzMessage   = 300
	fuzzFragments = 4
	fuzzRoom      = 200
)

// errEnd is what the sink of a fuzzed parser ends it with at a close frame.
var errEnd = errors.New("closed")

// log is a sink that writes everything down, and wants no more messages after quietAfter entries.
type log struct {
	entries    []string
	quietAfter int
}

func (l *log) message(t ws.MessageType, p []byte, _, _ bool) {
	if !l.discarding() {
		l.entries = append(l.entries, fmt.Sprintf("%v %q", t, p))
	}
}

func (l *log) control(op Opcode, p []byte, _ bool) error {
	l.entries = append(l.entries, fmt.Sprintf("control %d %q", op, p))
	if op == OpClose {
		return errEnd
	}
	return nil
}

func (l *log) discarding() bool          { return len(l.entries) >= l.quietAfter }
func (l *log) skips(int) bool            { return false }
func (l *log) wasted(int)                {}
func (l *log) inflates()                 {}
func (l *log) inflated(int)              {}
func (l *log) holds(int, int, time.Time) {}

// parseSplit parses b in pieces: each byte of cuts is the length of the next, over and over; none are one piece.
func parseSplit(t *testing.T, b, cuts []byte, quietAfter int, s *deflate.Session) ([]string, error) {
	l := &log{quietAfter: quietAfter}
	p := parser{sink: l, rules: &rules{masked: true, maxMessage: fuzzMessage, maxFragments: fuzzFragments}, deflate: s}
	defer p.forget()
	var have []byte
	for i := 0; len(b) > 0; i++ {
		n := len(b)
		if len(cuts) > 0 {
			n = min(n, 1+int(cuts[i%len(cuts)]))
		}
		have, b = append(have, b[:n]...), b[n:]
		room := 0
		if len(b) > 0 { // more is at hand
			room = fuzzRoom
		}
		used, err := p.feed(have, room)
		if used < 0 || used > len(have) {
			t.Fatalf("used %d bytes of %d", used, len(have))
		}
		if err != nil {
			return l.entries, err
		}
		if have = bytes.Clone(have[used:]); len(have) >= max(2+4+MaxControl, room) {
			t.Fatalf("%d bytes are left over, and room was %d", len(have), room)
		}
	}
	return l.entries, nil
}

// naive is RFC 6455 read word for word, over the whole input at once.
type naive struct {
	log
	b         []byte
	inflate   func(message []byte) (payload []byte, ok bool) // nil: no message may be compressed
	packed    bool                                           // the message is
	starts    bool                                           // the next message is
	inMessage bool
	op        byte
	fragments int
	message   []byte
}

// run returns the status of the error, 0 for none, and 1 for the end by a close frame.
func (n *naive) run() ws.Status {
	for len(n.b) >= 2 {
		fin, op, short := n.b[0]&0x80 != 0, n.b[0]&0x0f, n.b[1]&0x7f
		control := op >= 8
		packed := n.inflate != nil && n.b[0]&0x70 == 0x40 && (op == 1 || op == 2)
		switch {
		case n.b[0]&0x70 != 0 && !packed, op >= 3 && op <= 7, op > 10, n.b[1]&0x80 == 0, control && (!fin || short > 125):
			return 1002
		case short == 127 && len(n.b) > 2 && n.b[2] >= 0x80:
			return 1002
		}
		at := 2 + map[byte]int{126: 2, 127: 8}[short]
		if len(n.b) < at+4 {
			return 0
		}
		length := uint64(short)
		switch short {
		case 126:
			length = uint64(binary.BigEndian.Uint16(n.b[2:]))
		case 127:
			length = binary.BigEndian.Uint64(n.b[2:])
		}
		if short == 126 && length < 126 || short == 127 && length < 65536 {
			return 1002
		}
		if control && uint64(len(n.b)-at-4) < length {
			return 0
		}
		payload := bytes.Clone(n.b[at+4:][:min(length, uint64(len(n.b)-at-4))])
		for i := range payload {
			payload[i] ^= n.b[at+i%4]
		}
		n.b = n.b[at+4+len(payload):]
		if op == 1 || op == 2 {
			n.starts = packed
		}
		if status := n.frame(fin, op, payload, length); status != 0 {
			return status
		}
	}
	return 0
}

func (n *naive) frame(fin bool, op byte, payload []byte, length uint64) ws.Status {
	if op >= 8 {
		if n.control(Opcode(op), payload, false) != nil {
			return 1
		}
		return 0
	}
	if n.discarding() {
		return 0
	}
	if op == 0 != n.inMessage {
		return 1002
	}
	if op != 0 {
		n.inMessage, n.op, n.fragments, n.packed = true, op, 0, n.starts
	}
	if most := map[bool]uint64{false: fuzzMessage, true: 2*fuzzMessage + 1024}[n.packed]; length+uint64(len(n.message)) > most {
		return 1009
	}
	if n.fragments++; n.fragments > fuzzFragments {
		return 1008
	}
	n.message = append(n.message, payload...)
	whole := fin && uint64(len(payload)) == length
	switch {
	case n.packed && !whole:
		return 0
	case n.packed:
		payload, ok := n.inflate(n.message)
		if !ok || len(payload) > fuzzMessage {
			return 1009
		}
		n.message = payload
	}
	valid := canBecomeText
	if whole {
		valid = utf8.Valid
	}
	if n.op == 1 && !valid(n.message) {
		return 1007
	}
	if whole {
		n.log.message(ws.MessageType(n.op), n.message, false, false)
		n.inMessage, n.message = false, nil
	}
	return 0
}

// canBecomeText reports whether some bytes behind p make it valid UTF-8.
func canBecomeText(p []byte) bool {
	for len(p) > 0 {
		r, size := utf8.DecodeRune(p)
		if r == utf8.RuneError && size == 1 {
			break
		}
		p = p[size:]
	}
	if len(p) > 3 {
		return false
	}
	return utf8.Valid(p) || completable(p, 3)
}

// completable tries the corners of what may follow.
func completable(p []byte, depth int) bool {
	for _, c := range []byte{0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf} {
		if q := append(bytes.Clone(p), c); utf8.Valid(q) || depth > 1 && completable(q, depth-1) {
			return true
		}
	}
	return false
}

// statusOf turns a parser's error into what naive.run returns.
func statusOf(t *testing.T, err error) ws.Status {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errEnd):
		return 1
	}
	status := ws.StatusOf(err)
	if status == 0 {
		t.Fatalf("the error has no status: %v", err)
	}
	return status
}

// FuzzParser parses the same bytes whole, byte by byte and in arbitrary pieces, and compares with naive.
func FuzzParser(f *testing.F) {
	masked := func(fin bool, op Opcode, p string) []byte {
		b := AppendHeader(nil, fin, op, len(p), &[4]byte{1, 2, 3, 4})
		at := len(b)
		b = append(b, p...)
		Mask(b[at:], 0x04030201)
		return b
	}
	f.Add(masked(true, OpText, "Hello"), []byte{0, 3}, byte(9))
	f.Add(slices.Concat(masked(false, OpText, "\xe2\x82"), masked(true, OpPing, "p"), masked(true, OpContinuation, "\xac")), []byte{6}, byte(9))
	f.Add(slices.Concat(masked(false, OpText, "a\xe2"), masked(true, OpContinuation, "a")), []byte{}, byte(9))
	f.Add(slices.Concat(masked(true, OpBinary, string(make([]byte, 300))), masked(true, OpClose, "\x03\xe8")), []byte{200}, byte(1))
	f.Add(slices.Concat(masked(false, OpBinary, ""), masked(false, OpContinuation, ""), masked(true, OpContinuation, "")), []byte{1}, byte(2))
	f.Add([]byte("\x82\xff\x80"), []byte{0}, byte(9))
	f.Fuzz(func(t *testing.T, b, cuts []byte, quietAfter byte) {
		want := naive{b: b, log: log{quietAfter: int(quietAfter)}}
		status := want.run()
		for _, cuts := range [][]byte{nil, {0}, cuts} {
			got, err := parseSplit(t, b, cuts, int(quietAfter), nil)
			if s := statusOf(t, err); s != status {
				t.Fatalf("in pieces of %v: got status %d (%v), want %d", cuts, s, err, status)
			}
			if !slices.Equal(got, want.entries) {
				t.Fatalf("in pieces of %v:\ngot  %q\nwant %q", cuts, got, want.entries)
			}
		}
	})
}

// FuzzMask compares with section 5.3's own words, also over an arbitrary split and from any alignment.
func FuzzMask(f *testing.F) {
	f.Add([]byte("Hello, world: long enough for every loop that there is"), uint32(0x04030201), 7, 3)
	f.Add([]byte{}, uint32(1), 0, 0)
	f.Add(make([]byte, 128), uint32(0xff000000), 33, 1)
	f.Add([]byte("abc"), uint32(0), 2, 0)
	f.Fuzz(func(t *testing.T, p []byte, key uint32, split, skip int) {
		var k [4]byte
		binary.LittleEndian.PutUint32(k[:], key)
		skip = int(uint(skip) % 8)
		want := bytes.Clone(p)
		for i := range want {
			want[i] ^= k[i%4]
		}
		got := append(make([]byte, skip), p...)[skip:]
		split = int(uint(split) % uint(len(p)+1))
		next := Mask(got[:split], key)
		next = Mask(got[split:], next)
		if !bytes.Equal(got, want) {
			t.Fatalf("split at %d: got %x, want %x", split, got, want)
		}
		if turned := key>>(len(p)%4*8) | key<<(32-len(p)%4*8); next != turned {
			t.Fatalf("key after %d bytes: got %x, want %x", len(p), next, turned)
		}
		Mask(got, key)
		if !bytes.Equal(got, p) {
			t.Fatalf("masked twice: got %x, want %x", got, p)
		}
	})
}

// FuzzUTF8 compares with utf8.Valid over arbitrary pieces, and wants the refusal with the first bad byte.
func FuzzUTF8(f *testing.F) {
	for _, s := range []string{"", "Hello", "κόσμε", "😀😀", "\xed\xa0\x80", "\xe2\x82", "\xf4\x90", "\xc0", "a\xf0\x9f\x98a", "\ufffd"} {
		f.Add([]byte(s), []byte{0, 1, 2})
	}
	f.Fuzz(func(t *testing.T, p, cuts []byte) {
		p = p[:min(len(p), 200)] // the comparison takes the square of it
		for _, cuts := range [][]byte{{255}, {0}, cuts} {
			var u utf8Check
			rest, ok := p, true
			for i := 0; ok && len(rest) > 0; i++ {
				n := len(rest)
				if len(cuts) > 0 {
					n = min(n, int(cuts[i%len(cuts)])+i%2) // empty pieces too
				}
				ok, rest = u.write(rest[:n]), rest[n:]
				if seen := p[:len(p)-len(rest)]; ok != canBecomeText(seen) {
					t.Fatalf("after %q: got %v, want %v", seen, ok, !ok)
				}
			}
			if ok = ok && u.complete(); ok != utf8.Valid(p) {
				t.Fatalf("%q in pieces of %v: got %v, want %v", p, cuts, ok, !ok)
			}
		}
	})
}
