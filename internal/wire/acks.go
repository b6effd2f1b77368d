package wire

import "time"

// sending is how far a peer is with what it was sent.
type sending struct {
	acked uint64        // bytes that it has acknowledged
	quiet time.Duration // since it last acknowledged anything, and be it the same again
	left  bool          // something is not acknowledged yet, be it the end of the stream
}

// acks is what a peer has acknowledged, as far as somebody has looked. To poll(2) a socket is not ready until a
// third of its buffer is free, which takes a steady reader a while: that it acknowledges more and more shows that
// it reads.
type acks struct {
	bytes  uint64
	looked time.Time // zero: never
	grown  time.Time // at the latest; zero: never
}

// growing notes what is acknowledged by now, and reports whether that has grown within the last 50 ms, or was seen
// to. What has grown while nobody looked for a second may have grown long ago, but not after the last
// acknowledgement.
func (a *acks) growing(s sending) bool {
	now := time.Now()
	if s.acked > a.bytes {
		a.bytes, a.grown = s.acked, now
		if now.Sub(a.looked) >= proven {
			a.grown = now.Add(-s.quiet)
		}
	}
	a.looked = now
	return !a.grown.IsZero() && now.Sub(a.grown) < patience
}
