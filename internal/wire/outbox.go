package wire

import (
	"errors"
	"sync"
	"time"

	"github.com/fiberwsx/wsx/ws"
)

// errFull means that the outbox is at a limit.
var errFull = errors.New("wire: outbox full")

const (
	// chunkSize is what a pooled chunk holds: enough that a burst of small messages goes out in few writes.
	chunkSize = 16 << 10
	// shareFrom is the size in bytes from which a shared frame is queued by reference: below, a copy is cheaper.
	shareFrom = 1 << 10
	// maxControlLane is how many bytes of control frames may wait. What answers the peer then waits with its reader.
	maxControlLane = 8 << 10
)

var chunkPool = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// chunk is a run of whole frames that go out in one write.
type chunk struct {
	data     []byte
	messages int
	pooled   *[chunkSize]byte // nil when data is shared or too long for the pool
	closing  bool             // the close frame, which is the last
}

func (k *chunk) room() int {
	if k.pooled == nil {
		return 0
	}
	return cap(k.data) - len(k.data)
}

func (k *chunk) release() {
	if k.pooled != nil {
		chunkPool.Put(k.pooled)
	}
	k.data, k.pooled = nil, nil
}

// outbox is what a connection has yet to send. Data waits in order and within limits; control frames have a lane of
// their own and go first; the close frame goes last, and nothing is accepted behind it.
type outbox struct {
	maxMessages int    // 0: no limit
	maxBytes    int    // 0: no limit
	start       func() // starts a writer; called under mu

	mu       sync.Mutex
	queue    []chunk
	first    [1]chunk // what queue is made of while one is enough
	messages int      // queued or being written
	bytes    int
	control  []byte // whole control frames
	closing  []byte // the close frame, until it is taken
	sealed   bool   // no more data
	broken   bool   // no more of anything
	writing  bool   // a writer is at work
	moved    chan struct{}
	started  time.Time // of the write in progress
}

// push queues a message: payload is copied, or a shared frame's data referred to. It returns ErrClosed or errFull.
func (o *outbox) push(t ws.MessageType, payload []byte, shared []byte) error {
	size := len(shared)
	if shared == nil {
		size = headerSize(len(payload)) + len(payload)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.sealed || o.broken:
		return ErrClosed
	case o.fullLocked(size):
		return errFull
	}
	o.messages++
	o.bytes += size
	if len(shared) >= shareFrom {
		o.queue = append(o.queue, chunk{data: shared, messages: 1})
		o.wakeLocked()
		return nil
	}
	tail := o.tailLocked(size)
	tail.messages++
	if shared != nil {
		tail.data = append(tail.data, shared...)
	} else {
		tail.data = AppendHeader(tail.data, true, Opcode(t), len(payload), nil)
		tail.data = append(tail.data, payload...)
	}
	o.wakeLocked()
	return nil
}

// fullLocked reports whether size more bytes pass a limit. One message always fits an empty outbox, however long.
func (o *outbox) fullLocked(size int) bool {
	if o.messages == 0 {
		return false
	}
	return o.maxMessages > 0 && o.messages >= o.maxMessages || o.maxBytes > 0 && o.bytes+size > o.maxBytes
}

// tailLocked returns a chunk with room for size bytes at the end of the queue.
func (o *outbox) tailLocked(size int) *chunk {
	if n := len(o.queue); n > 0 && o.queue[n-1].room() >= size {
		return &o.queue[n-1]
	}
	if size > chunkSize {
		o.queue = append(o.queue, chunk{data: make([]byte, 0, size)})
	} else {
		pooled := chunkPool.Get().(*[chunkSize]byte)
		o.queue = append(o.queue, chunk{data: pooled[:0], pooled: pooled})
	}
	return &o.queue[len(o.queue)-1]
}

// pushControl queues a ping or a pong. It reports ok false, and queues nothing, while the lane is full.
func (o *outbox) pushControl(op Opcode, payload []byte) (ok bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sealed || o.broken {
		return false, ErrClosed
	}
	if len(o.control) > maxControlLane {
		return false, nil
	}
	o.control = AppendHeader(o.control, true, op, len(payload), nil)
	o.control = append(o.control, payload...)
	o.wakeLocked()
	return true, nil
}

// seal accepts the close frame as the last thing to be sent; dropData throws away what waits before it, and says how
// many messages that were.
func (o *outbox) seal(frame []byte, dropData bool) (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sealed || o.broken {
		return 0
	}
	o.sealed, o.closing = true, frame
	if dropData {
		dropped = o.dropLocked()
	}
	o.wakeLocked()
	return dropped
}

// breakOff drops everything: the connection is over. It says how many messages were lost.
func (o *outbox) breakOff() (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.broken, o.control, o.closing = true, nil, nil
	dropped = o.dropLocked()
	o.movedLocked()
	return dropped
}

func (o *outbox) dropLocked() (dropped int) {
	for i := range o.queue {
		dropped += o.queue[i].messages
		o.bytes -= len(o.queue[i].data)
		o.queue[i].release()
	}
	o.messages -= dropped
	o.queue = nil
	return dropped
}

func (o *outbox) wakeLocked() {
	if !o.writing {
		o.writing = true
		o.started = time.Now()
		o.start()
	}
}

// next takes what is to be written next. False means that there is nothing, and that the writer has to end.
func (o *outbox) next() (chunk, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var k chunk
	switch {
	case o.broken:
	case len(o.control) > 0:
		k.data, o.control = o.control, nil
	case len(o.queue) > 0:
		k = o.queue[0]
		o.queue[0] = chunk{}
		if o.queue = o.queue[1:]; len(o.queue) == 0 {
			o.queue = o.first[:0]
		}
	case o.closing != nil:
		k.data, k.closing, o.closing = o.closing, true, nil
	}
	if k.data == nil {
		o.writing = false
		o.movedLocked()
		return k, false
	}
	o.started = time.Now()
	return k, true
}

// done says that k has been written, or given up.
func (o *outbox) done(k *chunk) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if k.messages > 0 {
		o.messages -= k.messages
		o.bytes -= len(k.data)
	}
	k.release()
	o.movedLocked()
}

// progressed says that the socket has taken a part of the chunk in hand.
func (o *outbox) progressed() {
	o.mu.Lock()
	o.started = time.Now()
	o.mu.Unlock()
}

func (o *outbox) movedLocked() {
	if o.moved != nil {
		close(o.moved)
		o.moved = nil
	}
}

// watch returns a channel that is closed at the next progress, or nil when there is nothing to wait for. stuck is how
// long the write in hand has been waiting for the socket.
func (o *outbox) watch() (moved <-chan struct{}, stuck time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.writing || o.broken {
		return nil, 0
	}
	if o.moved == nil {
		o.moved = make(chan struct{})
	}
	return o.moved, time.Since(o.started)
}

func (o *outbox) buffered() (messages, bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.messages, o.bytes
}

func (o *outbox) isBroken() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.broken
}
