//go:build !race

package deflate_test

import (
	"bytes"
	"testing"

	"github.com/fiberwsx/wsx/internal/deflate"
)

// TestAllocations: neither direction allocates for a message, with context takeover or without.
func TestAllocations(t *testing.T) {
	payload := bytes.Repeat([]byte(`{"type":"reading","value":1}`), 40)
	for _, takeover := range []bool{false, true} {
		c := deflate.NewCompressor(1)
		s := deflate.NewSession(deflate.Params{ServerTakeover: takeover, ClientTakeover: takeover, ServerBits: 12, ClientBits: 12})
		dst := make([]byte, 0, 4096)
		message := append(c.Append(nil, payload, nil, 12), deflate.Tail...)
		o := new(output)
		if n := testing.AllocsPerRun(200, func() {
			dst = s.Deflate(c, dst[:0], payload)
			s.Sent(payload)
		}); n > 0 {
			t.Errorf("takeover %t: %v allocations to deflate a message", takeover, n)
		}
		if n := testing.AllocsPerRun(200, func() {
			o.Reset()
			if err := s.Inflate(o, message); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("takeover %t: %v allocations to inflate a message", takeover, n)
		}
	}
}

func BenchmarkDeflate(b *testing.B) {
	payload := bytes.Repeat([]byte(`{"type":"reading","value":1}`), 40)
	for name, takeover := range map[string]bool{"alone": false, "takeover": true} {
		b.Run(name, func(b *testing.B) {
			c := deflate.NewCompressor(1)
			s := deflate.NewSession(deflate.Params{ServerTakeover: takeover, ServerBits: 12, ClientBits: 15})
			var dst []byte
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				dst = s.Deflate(c, dst[:0], payload)
				s.Sent(payload)
			}
		})
	}
}

func BenchmarkInflate(b *testing.B) {
	payload := bytes.Repeat([]byte(`{"type":"reading","value":1}`), 40)
	message := append(deflate.NewCompressor(1).Append(nil, payload, nil, 15), deflate.Tail...)
	s := deflate.NewSession(deflate.Params{ServerBits: 15, ClientBits: 15})
	o := new(output)
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		o.Reset()
		if err := s.Inflate(o, message); err != nil {
			b.Fatal(err)
		}
	}
}
