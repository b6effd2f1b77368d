package wire

import "testing"

// TestAnUnfinishedMessageHoldsNoMoreThanTheLimit: however its pieces come, no more memory is kept ready for it.
func TestAnUnfinishedMessageHoldsNoMoreThanTheLimit(t *testing.T) {
	for _, limit := range []int64{5_000, 40_000, 64 << 10, 100_000} {
		l := &log{quietAfter: 1}
		p := parser{sink: l, rules: &rules{masked: true, maxMessage: limit}}
		if _, err := p.feed(AppendHeader(nil, true, OpBinary, int(limit), &[4]byte{}), 0); err != nil {
			t.Fatal(err)
		}
		for left := limit - 1; left > 0; {
			n := min(left, 777)
			if _, err := p.feed(make([]byte, n), 0); err != nil {
				t.Fatal(err)
			}
			left -= n
		}
		if got := int64(cap(p.partial.gathered.data)); got > max(limit, largeBuffer) {
			t.Errorf("%d bytes are kept for a message of %d", got, limit)
		}
		if _, err := p.feed([]byte{0}, 0); err != nil || len(l.entries) != 1 {
			t.Errorf("got %d messages, %v", len(l.entries), err)
		}
	}
}
