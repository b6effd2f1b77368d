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
	marks  []Mark // of each message; empty when all are plain
	waits  bool   // some may close a receiver, for which senders wait a little

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
	r.AppendMarked(t, payload, packed, Mark{})
}

// AppendMarked is [Round.Append] under a mark.
func (r *Round) AppendMarked(t ws.MessageType, payload []byte, packed *Packed, m Mark) {
	r.waits = r.waits || m.Policy == PolicyClose
	if len(r.marks) > 0 || !m.plain() {
		for len(r.marks) < len(r.plain.starts) {
			r.marks = append(r.marks, Mark{})
		}
		r.marks = append(r.marks, m)
	}
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

// from returns what lies at and behind a position, how many messages that is, and their marks; packed for connections
// that share what was compressed.
func (r *Round) from(position uint64, packed bool) (data []byte, messages int, marks []Mark) {
	f, first := r.frames(packed), r.first(position)
	if first == len(f.starts) {
		return nil, 0, nil
	}
	if len(r.marks) > 0 {
		marks = r.marks[first:]
	}
	return f.data[f.starts[first]:], len(f.starts) - first, marks
}

func (r *Round) frames(packed bool) *frames {
	if packed && len(r.packed.starts) > 0 {
		return &r.packed
	}
	return &r.plain
}

// first returns the first message at or behind a position.
func (r *Round) first(position uint64) int {
	if position <= r.start {
		return 0
	}
	i, _ := slices.BinarySearch(r.plain.starts, int(position-r.start))
	return i
}

// since returns the frames at and behind a position, each with its mark.
func (r *Round) since(position uint64, packed bool) iter.Seq2[[]byte, Mark] {
	return func(yield func([]byte, Mark) bool) {
		f := r.frames(packed)
		for i := r.first(position); i < len(f.starts); i++ {
			end := len(f.data)
			if i+1 < len(f.starts) {
				end = f.starts[i+1]
			}
			var m Mark
			if len(r.marks) > 0 {
				m = r.marks[i]
			}
			if !yield(f.data[f.starts[i]:end], m) {
				return
			}
		}
	}
}

// frameLen returns how long the first of our own frames in b is.
func frameLen(b []byte) int {
	n := payloadLen(b)
	return headerSize(n) + n
}

// frameLens returns how long the first n of our own frames in b are together.
func frameLens(b []byte, n int) (end int) {
	for range n {
		end += frameLen(b[end:])
	}
	return end
}

func payloadLen(b []byte) int {
	switch n := int(b[1]); n {
	case 126:
		return int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		return int(binary.BigEndian.Uint64(b[2:]))
	default:
		return n
	}
}

// unframe takes one of our own frames apart.
func unframe(b []byte) (Opcode, []byte) { return Opcode(b[0] &^ finBit), b[headerSize(payloadLen(b)):] }

// held returns how much memory the round keeps.
func (r *Round) held() int { return cap(r.plain.data) + cap(r.packed.data) }

// count notes that it waits in one more outbox, when it holds so many bytes.
func (r *Round) count(b *budget, held int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting++; r.waiting == 1 {
		r.counted = 0
	}
	if held > r.counted { // it may have grown since it began to wait
		b.add(held - r.counted)
		r.counted = held
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
	clear(r.marks)
	r.marks, r.waits = r.marks[:0], false
	roundPool.Put(r)
}
