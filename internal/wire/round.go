package wire

import (
	"encoding/binary"
	"iter"
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
// Whoever made it may append to it while nobody else reads it. Connections that have queued it already keep what they
// have, and get the rest with their next turn.
type Round struct {
	refs   atomic.Int32
	start  uint64 // where it begins in the log
	plain  frames
	packed frames // the same messages, compressed where that was worth it; empty when none was

	mu      sync.Mutex
	waiting int // outboxes in which a part of it is counted
	counted int // bytes, once for all of them
}

// frames are messages as they are sent.
type frames struct {
	data   []byte
	starts []int // of each in data
}

func (f *frames) append(op Opcode, payload []byte) {
	f.starts = append(f.starts, len(f.data))
	f.data = AppendHeader(f.data, true, op, len(payload), nil)
	f.data = append(f.data, payload...)
}

func (f *frames) empty() {
	f.data, f.starts = f.data[:0], f.starts[:0]
}

// NewRound returns an empty round that begins at a position of the log. The caller owns a reference.
func NewRound(start uint64) *Round {
	r := roundPool.Get().(*Round)
	r.start = start
	r.refs.Store(1)
	return r
}

// Append adds a message. packed is its payload compressed, or nil; see [Engine.Pack].
func (r *Round) Append(t ws.MessageType, payload []byte, packed *Packed) {
	switch {
	case packed != nil:
		if len(r.packed.starts) == 0 {
			r.packed.data = append(r.packed.data, r.plain.data...)
			r.packed.starts = append(r.packed.starts, r.plain.starts...)
		}
		r.packed.append(Opcode(t)|compressed, packed.data)
	case len(r.packed.starts) > 0:
		r.packed.append(Opcode(t), payload)
	}
	r.plain.append(Opcode(t), payload)
}

// Len returns the bytes that the round takes on the wire, uncompressed.
func (r *Round) Len() int { return len(r.plain.data) }

// End returns the position in the log behind the round.
func (r *Round) End() uint64 { return r.start + uint64(len(r.plain.data)) }

// from returns what lies at and behind a position, and how many messages that is; packed for connections that share
// what was compressed.
func (r *Round) from(position uint64, packed bool) (data []byte, messages int) {
	f := &r.plain
	if packed && len(r.packed.starts) > 0 {
		f = &r.packed
	}
	first := r.first(position)
	if first == len(f.starts) {
		return nil, 0
	}
	return f.data[f.starts[first]:], len(f.starts) - first
}

// first returns the first message at or behind a position.
func (r *Round) first(position uint64) int {
	if position <= r.start {
		return 0
	}
	i, _ := slices.BinarySearch(r.plain.starts, int(position-r.start))
	return i
}

// since returns the messages at and behind a position.
func (r *Round) since(position uint64) iter.Seq2[Opcode, []byte] {
	return func(yield func(Opcode, []byte) bool) {
		f := &r.plain
		for i := r.first(position); i < len(f.starts); i++ {
			end := len(f.data)
			if i+1 < len(f.starts) {
				end = f.starts[i+1]
			}
			if !yield(unframe(f.data[f.starts[i]:end])) {
				return
			}
		}
	}
}

// unframe takes one of our own frames apart.
func unframe(b []byte) (Opcode, []byte) {
	n := int(b[1])
	switch n {
	case 126:
		n = int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		n = int(binary.BigEndian.Uint64(b[2:]))
	}
	return Opcode(b[0] &^ finBit), b[headerSize(n):]
}

// held returns how much memory the round keeps.
func (r *Round) held() int { return cap(r.plain.data) + cap(r.packed.data) }

// count notes that it waits in one more outbox, when it holds so many bytes.
func (r *Round) count(b *budget, held int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting++; r.waiting == 1 {
		r.counted = held
		b.add(held)
	}
}

// discount notes that it waits in one less.
func (r *Round) discount(b *budget) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting--; r.waiting == 0 {
		b.add(-r.counted)
	}
}

func (r *Round) retain() { r.refs.Add(1) }

// Release gives a reference up. With the last one the memory is used again.
func (r *Round) Release() {
	if r.refs.Add(-1) != 0 || r.held() > mostKept {
		return
	}
	poison(r.plain.data)
	poison(r.packed.data)
	r.plain.empty()
	r.packed.empty()
	roundPool.Put(r)
}
