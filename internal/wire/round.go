package wire

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fiberwsx/wsx/ws"
)

// mostKept is how much memory a round may have to be used again.
const mostKept = 256 << 10

var roundPool = sync.Pool{New: func() any { return new(Round) }}

// Round is whole frames in one buffer that many connections send, each built once. Rounds follow each other in a log;
// a connection knows how far in it it has come, so it gets of each round what it has not had.
//
// Whoever made it appends to it until it is first sent to a connection by another goroutine; afterwards nobody does.
type Round struct {
	refs   atomic.Int32
	start  uint64 // where it begins in the log
	data   []byte
	frames []int // where each begins in data
}

// NewRound returns an empty round that begins at a position of the log. The caller owns a reference.
func NewRound(start uint64) *Round {
	r := roundPool.Get().(*Round)
	r.start = start
	r.refs.Store(1)
	return r
}

// Append adds a message.
func (r *Round) Append(t ws.MessageType, payload []byte) {
	r.frames = append(r.frames, len(r.data))
	r.data = AppendHeader(r.data, true, Opcode(t), len(payload), nil)
	r.data = append(r.data, payload...)
}

// Len returns the bytes that the round takes on the wire.
func (r *Round) Len() int { return len(r.data) }

// End returns the position in the log behind the round.
func (r *Round) End() uint64 { return r.start + uint64(len(r.data)) }

// from returns what lies at and behind a position, and how many messages that is.
func (r *Round) from(position uint64) (data []byte, messages int) {
	if position <= r.start {
		return r.data, len(r.frames)
	}
	offset := int(position - r.start)
	first, _ := slices.BinarySearch(r.frames, offset)
	return r.data[offset:], len(r.frames) - first
}

func (r *Round) retain() { r.refs.Add(1) }

// Release gives a reference up. With the last one the memory is used again.
func (r *Round) Release() {
	if r.refs.Add(-1) != 0 || cap(r.data) > mostKept {
		return
	}
	poison(r.data)
	r.data, r.frames = r.data[:0], r.frames[:0]
	roundPool.Put(r)
}
