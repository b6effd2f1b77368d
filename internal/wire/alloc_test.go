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

// TestAGrowingQueueAllocatesOnce: what is stuck in many outboxes leaves no arrays behind that have become too small.
func TestAGrowingQueueAllocatesOnce(t *testing.T) {
	l := new(load)
	n := testing.AllocsPerRun(100, func() {
		l.restart()
		for range many {
			l.append(chunk{messages: 1})
		}
	})
	if n != 1 || len(l.queue) != many {
		t.Errorf("%v allocations for %d chunks that wait, want 1", n, len(l.queue))
	}
}

// TestASlidingQueueSeldomAllocates: one in, one out, of 4 to 100; also of about as many as its first array can hold.
func TestASlidingQueueSeldomAllocates(t *testing.T) {
	one := chunk{data: []byte{1}, messages: 1}
	for _, length := range []int{few, few + 1, many / 2, many - 3, many - 1, many, 100} {
		l := new(load)
		l.restart()
		for range length {
			l.append(one)
		}
		const times = 1000
		n := testing.AllocsPerRun(1, func() {
			for range times {
				l.pop()
				l.append(one)
			}
		})
		if most := float64(2 * times / length); n > most || len(l.queue) != length {
			t.Errorf("%v allocations for %d in and out of %d, want at most %v", n, times, length, most)
		}
	}
}
