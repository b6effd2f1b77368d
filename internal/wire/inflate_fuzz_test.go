package wire

import (
	"bytes"
	"compress/flate"
	"io"
	"slices"
	"testing"

	"github.com/fiberwsx/wsx/internal/deflate"
	"github.com/fiberwsx/wsx/ws"
)

// naiveInflater inflates messages with the standard library, over a window that it keeps by itself.
type naiveInflater struct{ before []byte }

func (n *naiveInflater) inflate(message []byte) ([]byte, bool) {
	var all []byte
	src := bytes.NewReader(append(slices.Clone(message), deflate.Tail...))
	for streams := 0; len(message) > 0 && src.Len() > 0; streams++ {
		if streams > 0 && src.Len() == len(deflate.Tail) {
			break
		}
		if streams == deflate.MaxFinal {
			return all, false
		}
		one, err := io.ReadAll(flate.NewReaderDict(src, append(slices.Clone(n.before), all...)))
		if all = append(all, one...); err != nil {
			return all, false
		}
	}
	n.before = append(n.before, all...)
	return all, true
}

// FuzzCompressedParser does what FuzzParser does where messages may be compressed.
func FuzzCompressedParser(f *testing.F) {
	c := deflate.NewCompressor(1)
	packed := func(fin bool, op Opcode, payload, window string) []byte {
		p := c.Append(nil, []byte(payload), []byte(window), deflate.MaxBits)
		b := AppendHeader(nil, fin, op|compressed, len(p), &[4]byte{1, 2, 3, 4})
		at := len(b)
		b = append(b, p...)
		Mask(b[at:], 0x04030201)
		return b
	}
	long := string(bytes.Repeat([]byte("Hello "), 30))
	f.Add(packed(true, OpText, "Hello", ""), []byte{0, 3})
	f.Add(slices.Concat(packed(true, OpText, long, ""), packed(true, OpText, long, long)), []byte{7})
	f.Add(slices.Concat(packed(false, OpText, "Hello", ""), AppendHeader(nil, true, OpContinuation, 0, &[4]byte{})), []byte{})
	f.Add(packed(true, OpBinary, string(make([]byte, fuzzMessage+1)), ""), []byte{1})
	f.Add(packed(true, OpText, "caf\xe9", ""), []byte{1})
	f.Add(slices.Concat(packed(true, OpText, "a", ""), AppendHeader(nil, true, OpText, 0, &[4]byte{})), []byte{1})
	f.Fuzz(func(t *testing.T, b, cuts []byte) {
		want := naive{b: b, log: log{quietAfter: 100}, inflate: new(naiveInflater).inflate}
		status := refused(want.run())
		for _, cuts := range [][]byte{nil, {0}, cuts} {
			s := deflate.NewSession(deflate.Params{ClientTakeover: true, ServerBits: 15, ClientBits: 15})
			got, err := parseSplit(t, b, cuts, 100, s)
			if s := refused(statusOf(t, err)); s != status {
				t.Fatalf("in pieces of %v: got status %d (%v), want %d", cuts, s, err, status)
			}
			if !slices.Equal(got, want.entries) {
				t.Fatalf("in pieces of %v:\ngot  %q\nwant %q", cuts, got, want.entries)
			}
		}
	})
}

// refused makes one of two statuses: what is too big may also turn out to be corrupt, sooner or later.
func refused(s ws.Status) ws.Status {
	if s == ws.StatusInvalidPayload {
		return ws.StatusMessageTooBig
	}
	return s
}
