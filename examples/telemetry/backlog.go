package main

import (
	"slices"
	"sync"
	"time"
)

// backlog keeps each message until the server has settled it, oldest first: in memory, and in a file too when it has a
// spool. It numbers them as the server does: the first one that is kept has the number base, each next one the next.
// Its methods may be called at once.
type backlog struct {
	filled chan struct{} // has a token when there may be something to send
	most   int           // messages

	mu     sync.Mutex
	spool  *spool // nil: memory alone
	kept   []parcel
	base   uint64 // 0 until a server has said it
	sent   int    // of kept, over this connection or, while there is none, the last one
	window note   // the hello, which bounds what is sent and unsettled
	size   int    // bytes of what is sent
	after  time.Time
	lost   int // messages that were the oldest of too many, or could not be written
	unfit  int // messages that the server will never take
}

// parcel is a message, and whether a nack has settled it; then it only keeps its number's place.
type parcel struct {
	body []byte
	over bool
}

// newBacklog returns one in memory.
func newBacklog() *backlog { return &backlog{filled: make(chan struct{}, 1), most: maxBacklog} }

// openBacklog returns one that goes on with what is in a spool. What has been kept there may all have been sent.
func openBacklog(dir, device string) (b *backlog, cut int, err error) {
	b = newBacklog()
	b.most = maxSpooled
	var bodies [][]byte
	if b.spool, bodies, b.base, cut, err = openSpool(dir, device); err != nil {
		return nil, cut, err
	}
	for _, body := range bodies {
		b.kept = append(b.kept, parcel{body: body})
	}
	b.sent = len(b.kept)
	return b, cut, nil
}

func (b *backlog) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spool != nil {
		b.spool.close()
	}
}

// put adds a message; when there are too many, the oldest goes. With an error, which is the spool's, it is lost.
func (b *backlog) put(body []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.putLocked(body)
}

func (b *backlog) putLocked(body []byte) error {
	if b.spool != nil {
		if err := b.spool.add(body); err != nil {
			b.lost++
			return err
		}
	}
	b.kept = append(b.kept, parcel{body: body})
	if over := len(b.kept) - b.most; over > 0 {
		b.lost += over
		b.dropLocked(over)
	}
	b.wake()
	return nil
}

func (b *backlog) wake() {
	select {
	case b.filled <- struct{}{}:
	default:
	}
}

// dropLocked forgets the first n. Those that were sent have used up their numbers; the number of one that was not is
// the next one's. A spool that does not take it is no matter: the next hello says it again.
func (b *backlog) dropLocked(n int) {
	sent := min(n, b.sent)
	for _, p := range b.kept[:sent] {
		b.size -= len(p.body)
	}
	b.sent -= sent
	if b.base > 0 {
		b.base += uint64(sent)
	}
	clear(b.kept[:n])
	b.kept = b.kept[n:]
	if b.spool == nil {
		return
	}
	_ = b.spool.drop(n, b.base)
	if b.spool.end > compactFrom && b.spool.end > 4*int64(b.bytesLocked()) {
		_ = b.spool.rewrite(b.base, b.bodiesLocked())
	}
}

func (b *backlog) bytesLocked() (n int) {
	for _, p := range b.kept {
		n += len(p.body)
	}
	return n
}

func (b *backlog) bodiesLocked() [][]byte {
	bodies := make([][]byte, len(b.kept))
	for i, p := range b.kept {
		bodies[i] = p.body
	}
	return bodies
}

// greet begins a connection: the server has everything below the hello's next, if it goes on with what it was sent, and
// whatever is left is sent, from that number on. When next is not among the numbers that are kept, the server speaks of
// something else than this agent's messages (its database is another one, or the agent has lost its spool); then it has
// none of them.
func (b *backlog) greet(hello note) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := b.base + uint64(len(b.kept)); hello.Resumed && b.base > 0 && b.base <= hello.Next && hello.Next <= last {
		b.kept = b.kept[hello.Next-b.base:]
	}
	b.kept = slices.DeleteFunc(slices.Clone(b.kept), func(p parcel) bool { return p.over })
	b.base, b.sent, b.size, b.window, b.after = hello.Next, 0, 0, hello, time.Time{}
	b.wake()
	if b.spool == nil {
		return nil
	}
	return b.spool.rewrite(b.base, b.bodiesLocked()) // before anything is sent under these numbers
}

// next returns the next message to send, which then counts as sent; nil when there is none, or no room in the window.
// wait is how long the server wants to be left alone first.
func (b *backlog) next() (body []byte, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sent == len(b.kept) {
		return nil, 0
	}
	if wait = time.Until(b.after); wait > 0 {
		return nil, wait
	}
	body = b.kept[b.sent].body
	full := b.window.Window > 0 && b.sent >= b.window.Window ||
		b.window.WindowBytes > 0 && b.size+len(body) > b.window.WindowBytes
	if b.sent > 0 && full { // one may always be sent
		return nil, 0
	}
	b.sent++
	b.size += len(body)
	return body, 0
}

// settle forgets what is acknowledged: everything up to a number.
func (b *backlog) settle(number uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if number < b.base || number >= b.base+uint64(b.sent) { // an old ack, or nonsense
		return
	}
	b.dropLocked(int(number - b.base + 1))
	b.wake()
}

// refuse notes a nack. A message that may be sent again is a new one, behind all others, and nothing is sent before the
// time that the server has named.
func (b *backlog) refuse(n note) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n.Seq < b.base || n.Seq >= b.base+uint64(b.sent) {
		return nil
	}
	p := &b.kept[n.Seq-b.base]
	if p.over {
		return nil
	}
	p.over = true
	if !n.Retry {
		b.unfit++
		return nil
	}
	b.after = time.Now().Add(min(time.Duration(n.AfterMS)*time.Millisecond, longestWait))
	return b.putLocked(p.body)
}

// takeLost returns how many messages were lost, and how many refused for good, since it was last called.
func (b *backlog) takeLost() (lost, unfit int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	lost, unfit = b.lost, b.unfit
	b.lost, b.unfit = 0, 0
	return lost, unfit
}
