package wire

import (
	"sync"
	"time"
)

// load is what waits in an outbox. A connection has one only while something does.
type load struct {
	hand     chunk // being written
	written  int   // of hand
	queue    []chunk
	first    [few]chunk // what queue is made of while they are enough
	array    int        // places in the array of queue, with those that it has left behind
	messages int        // queued or in hand
	bytes    int
	weight   int    // what counts towards the budget
	places   int    // bytes of that for the queue itself
	declared int    // what the budget knows of the weight
	control  []byte // whole control frames
	closing  []byte // the close frame, until it is taken
	writing  bool   // a writer is at work; hand and the socket are its own
	moved    chan struct{}
	latest   time.Time // when the socket last took something, or the writer began
	progress time.Time // since when the writer waits for the socket: the same, later by its turns
	yielded  time.Time // since when the writer lets others go first, and does not wait for the socket; zero: it does
	loose    loose     // what of it may be dropped

	conn *Conn  // of the writer
	run  func() // its life, bound once
}

// few is how many chunks wait without an array of their own: those of a small share.
const few = smallShare / smallChunk

// many is how many chunks a queue's first array of its own has room for: what one of Go's sizes of memory holds, on 64
// bits. Arrays that grow step by step are garbage in each of the outboxes in which broadcasts get stuck. A queue that
// is longer than half of that gets more room than it needs, since it slides along its array.
const many = 37

var loadPool = sync.Pool{New: func() any { return new(load) }}

// loadLocked returns the load, made when there is none.
func (o *outbox) loadLocked() *load {
	if o.load == nil {
		l := loadPool.Get().(*load)
		if l.run == nil {
			l.run = func() { l.conn.write() }
		}
		l.conn = o.conn
		l.restart()
		o.load = l
	}
	return o.load
}

// unloadLocked gives up a load that has become empty.
func (o *outbox) unloadLocked() {
	l := o.load
	if l == nil || l.writing || l.moved != nil || !l.empty() {
		return
	}
	if l.declared > 0 {
		l.declare()
	}
	*l = load{run: l.run, control: l.control[:0]}
	o.load = nil
	loadPool.Put(l)
}

func (l *load) empty() bool {
	return l.hand.data == nil && len(l.queue) == 0 && len(l.control) == 0 && l.closing == nil
}

// tail returns the last chunk that waits, or nil.
func (l *load) tail() *chunk {
	if n := len(l.queue); n > 0 {
		return &l.queue[n-1]
	}
	return nil
}

// add queues a part of a round by reference. If it has to wait and is short, or keeps much more memory than its length,
// which is what counts towards the limit, it is copied; not when its messages have marks.
func (l *load) add(r *Round, data []byte, messages int, marks []Mark) {
	if marks != nil {
		r.retain()
		l.push(chunk{data: data, messages: messages, round: r, held: r.held(), terms: newTerms(Mark{}, marks)})
		return
	}
	l.messages += messages
	l.bytes += len(data)
	if waits := l.writing || len(l.queue) > 0; waits && (len(data) < shareFrom || r.held() > 4*len(data)) {
		tail := l.tail()
		if tail == nil || tail.room() < len(data) {
			tail = l.grow(len(data), false)
		}
		tail.data = append(tail.data, data...)
		tail.messages += messages
		return
	}
	r.retain()
	l.append(chunk{data: data, messages: messages, round: r, held: r.held()})
}

// grow appends a chunk for size bytes, with room for more where more will come: in a cork, or where much waits already.
func (l *load) grow(size int, corked bool) *chunk {
	if corked || l.weight > smallShare {
		size = max(size, chunkSize)
	}
	l.append(newChunk(size))
	return l.tail()
}

// append puts a chunk at the end of the queue.
func (l *load) append(k chunk) {
	switch n := len(l.queue); {
	case n < cap(l.queue):
	case n < few:
		l.house(l.queue, few)
	case n < many/2:
		l.house(l.queue, many)
	default:
		l.queue = append(l.queue, k)
		l.array = cap(l.queue)
		return
	}
	l.queue = append(l.queue, k)
}

// restart makes the queue an empty one. All places of its first array are clear, or will be.
func (l *load) restart() { l.queue, l.array = l.first[:0], few }

// house makes chunks the queue, in an array with so many places: the first one if that is enough. What is not of the
// queue is cleared there.
func (l *load) house(chunks []chunk, places int) {
	n := 0
	if places <= few {
		n = copy(l.first[:], chunks)
		l.queue, l.array = l.first[:n], few
	} else {
		l.queue = append(make([]chunk, 0, places), chunks...)
		l.array = cap(l.queue)
	}
	clear(l.first[n:])
}

// fit gives up an array that is much too long. What becomes longer and shorter by some does not move each time.
func (l *load) fit() {
	switch n := len(l.queue); {
	case n == 0 && l.array > many:
		l.restart()
	case l.array > 2*many && l.array > 8*n:
		l.house(l.queue, max(many, 2*n))
	}
}

// tighten gives up all places that the queue does not use.
func (l *load) tighten() {
	l.pack()
	l.house(l.queue, len(l.queue))
	l.declare()
}

// chunks returns how many there are in the queue.
func (l *load) chunks() int { return len(l.queue) - l.loose.gone }

// take takes into hand what is to be written next. False: there is nothing.
func (l *load) take() bool {
	switch {
	case l.hand.data != nil:
	case len(l.control) > 0:
		l.hand = chunk{data: l.control, control: true}
		l.control = nil
	case l.takeNext():
	case l.closing != nil:
		l.hand.data, l.closing = l.closing, nil
	default:
		return false
	}
	return true
}

// takeNext takes the first chunk of the queue into hand. Of messages that could still be dropped a writer takes a small
// chunk if the socket is ready for it, else one.
func (l *load) takeNext() bool {
	k := l.head()
	switch {
	case k == nil:
		return false
	case !l.writing || k.terms == nil:
		l.hand = l.pop()
		return true
	}
	most := 0
	if l.conn.socket.ready() {
		most = smallChunk
	}
	l.takeWithin(most)
	if l.hand.loose() {
		l.gather(most)
	}
	return true
}

// head returns the first chunk of the queue, or nil.
func (l *load) head() *chunk {
	for len(l.queue) > 0 && l.queue[0].data == nil {
		l.pop()
	}
	if len(l.queue) == 0 {
		return nil
	}
	return &l.queue[0]
}

// takeWithin takes the first chunk of the queue into hand; of messages that could still be dropped only those that end
// within so many bytes of it, but 1 at least.
func (l *load) takeWithin(bytes int) {
	if k := &l.queue[0]; k.marked() {
		if n := k.within(bytes); n < k.messages {
			l.hand = k.cut(n, &l.conn.engine.outboxes)
			return
		}
	}
	l.hand = l.pop()
}

// putBack leaves in hand what is written in part, and puts what could still be dropped back into the queue. The hand
// begins with a whole message: nothing has shrunk it yet.
func (l *load) putBack() {
	if !l.hand.marked() {
		return
	}
	n := l.hand.within(l.written)
	if at := frameLens(l.hand.data, n); at <= l.written {
		n++
	}
	if n < l.hand.messages {
		piece := l.hand.cut(n, &l.conn.engine.outboxes)
		l.append(chunk{})
		copy(l.queue[1:], l.queue)
		l.queue[0] = l.hand
		l.hand = piece
		l.pack()
	}
}

// progresses notes that the writer begins, or that the socket took something.
func (l *load) progresses() {
	l.latest = time.Now()
	l.progress = l.latest
}

// wrote notes that the socket took n bytes, and reports whether the hand is empty.
func (l *load) wrote(n int) bool {
	if l.written += n; l.written < len(l.hand.data) {
		return false
	}
	l.putDown()
	return true
}

func (l *load) putDown() {
	if l.hand.messages > 0 {
		l.messages -= l.hand.messages
		l.bytes -= len(l.hand.data)
	}
	if l.hand.control && l.control == nil {
		l.control = l.hand.data[:0]
	}
	l.release(&l.hand)
	l.written = 0
}

// abandon puts down a hand that cannot be written any more, and returns how many of its messages are lost with it:
// those that the socket has taken whole are sent.
func (l *load) abandon() (dropped int) {
	if dropped = l.hand.messages; dropped > 0 {
		dropped -= l.hand.whole(l.written)
	}
	l.putDown()
	return dropped
}

// drop throws away what waits, and returns how many messages that were.
func (l *load) drop() (dropped int) {
	all := l.queue
	l.loose = loose{}
	l.restart()
	for i := range all {
		dropped += all[i].messages
		l.bytes -= len(all[i].data)
		l.release(&all[i])
	}
	l.messages -= dropped
	return dropped
}

// stuck returns how long the writer has been waiting for the socket.
func (l *load) stuck() time.Duration {
	if !l.yielded.IsZero() {
		return l.yielded.Sub(l.progress)
	}
	return time.Since(l.progress)
}

// signal tells whoever waits that there was progress.
func (l *load) signal() {
	if l.moved != nil {
		close(l.moved)
		l.moved = nil
	}
}
