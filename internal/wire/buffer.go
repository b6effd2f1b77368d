package wire

import "sync"

const (
	smallBuffer = 4 << 10  // held by a reader that waits
	largeBuffer = 32 << 10 // while reads fill the small one
)

var (
	smallPool = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largePool = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

// readBuffer is the bytes that were read and not yet parsed, at the start of a pooled array.
type readBuffer struct {
	small *[smallBuffer]byte
	large *[largeBuffer]byte // instead of small, while reads are long
	have  int
}

func newReadBuffer(large bool) readBuffer {
	if large {
		return readBuffer{large: largePool.Get().(*[largeBuffer]byte)}
	}
	return readBuffer{small: smallPool.Get().(*[smallBuffer]byte)}
}

func (b *readBuffer) bytes() []byte {
	if b.large != nil {
		return b.large[:]
	}
	return b.small[:]
}

func (b *readBuffer) space() []byte { return b.bytes()[b.have:] }

// filled returns what is to be parsed after a read of n more bytes.
func (b *readBuffer) filled(n int) []byte {
	b.have += n
	return b.bytes()[:b.have]
}

// consume forgets the first used bytes.
func (b *readBuffer) consume(used int) {
	b.have = copy(b.bytes(), b.bytes()[used:b.have])
}

// grow moves to a large array.
func (b *readBuffer) grow() {
	if b.large == nil {
		b.large = largePool.Get().(*[largeBuffer]byte)
		copy(b.large[:], b.small[:b.have])
		smallPool.Put(b.small)
		b.small = nil
	}
}

// shrink moves to a small array, in which there is room for what is there.
func (b *readBuffer) shrink() {
	if b.small == nil {
		b.small = smallPool.Get().(*[smallBuffer]byte)
		copy(b.small[:], b.large[:b.have])
		largePool.Put(b.large)
		b.large = nil
	}
}

func (b *readBuffer) release() {
	if b.small != nil {
		smallPool.Put(b.small)
	}
	if b.large != nil {
		largePool.Put(b.large)
	}
}
