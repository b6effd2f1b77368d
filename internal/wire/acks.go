package wire

import "time"

// sending is how far a peer is with what it was sent.
type sending struct {
	acked uint64 // bytes that it has acknowledged
	left  bool   // there is more, or the end of the stream
}

// acks is what a peer has acknowledged, as far as somebody has looked. To Linux a socket takes nothing until a third of
// its buffer is free, which takes a steady reader a while: that it acknowledges more and more shows that it reads.
type acks struct {
	bytes uint64
	grown time.Time // when that was seen; zero: never
}

// growing notes what is acknowledged by now, and reports whether it was seen to grow within the last 50 ms. It is so
// when somebody looks for the first time.
func (a *acks) growing(bytes uint64) bool {
	if bytes > a.bytes {
		a.bytes, a.grown = bytes, time.Now()
	}
	return !a.grown.IsZero() && time.Since(a.grown) < patience
}
