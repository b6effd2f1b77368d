//go:build !race

package wire

import (
	"testing"

	"github.com/fiberwsx/wsx/internal/deflate"
)

func TestParsingAMessageDoesNotAllocate(t *testing.T) {
	long, key := make([]byte, 60<<10), &[4]byte{1, 2, 3, 4}
	session := deflate.NewSession(deflate.Params{ServerBits: 15, ClientBits: 15})
	packed := session.Deflate(deflate.NewCompressor(1), nil, long)
	half := append(AppendHeader(nil, false, OpBinary, len(long)/2, key), long[:len(long)/2]...)
	rest := append(AppendHeader(nil, true, OpContinuation, len(long)/2, key), long[:len(long)/2]...)
	for name, message := range map[string][]byte{
		"in one frame": frame128(),
		"in fragments": append(half, rest...),
		"compressed":   append(AppendHeader(nil, true, OpBinary|compressed, len(packed), &[4]byte{}), packed...),
	} {
		t.Run(name, func(t *testing.T) {
			p := parser{sink: void{}, rules: &rules{masked: true, maxMessage: 64 << 10, maxFragments: 1024}, deflate: session}
			frames := make([]byte, len(message))
			n := testing.AllocsPerRun(1000, func() {
				copy(frames, message) // parsing unmasks in place
				if _, err := p.feed(frames, 0); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("got %v allocations a message, want 0", n)
			}
		})
	}
}

// TestAQueueGrowsOnce: what is stuck in many outboxes leaves no arrays behind that have become too small.
func TestAQueueGrowsOnce(t *testing.T) {
	l := new(load)
	n := testing.AllocsPerRun(100, func() {
		l.queue = l.first[:0]
		for range many {
			l.append(chunk{messages: 1})
		}
	})
	if n != 1 || len(l.queue) != many {
		t.Errorf("%v allocations for %d chunks that wait, want 1", n, len(l.queue))
	}
}
