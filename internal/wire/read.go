package wire

import (
	"errors"
	"sync"
	"time"

	"github.com/fiberwsx/wsx/ws"
)

const (
	smallBuffer = 4 << 10  // held by a reader that waits
	largeBuffer = 32 << 10 // while reads fill the small one
)

var (
	smallPool = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largePool = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

// Run reads until the connection has ended and its socket is closed. Afterwards nothing reaches the socket any more.
func (c *Conn) Run() {
	defer c.finish()
	returned := false
	defer func() {
		if !returned { // runtime.Goexit in a callback: where the parser stands is not known
			c.close(ws.CloseError{Status: ws.StatusInternalError}, c.cfg.CloseTimeout, false)
			c.discard(c.cfg.CloseTimeout)
		}
	}()
	c.end(c.read())
	returned = true
}

// end does what is due after reading has stopped with err.
func (c *Conn) end(err error) {
	var violation ws.CloseError
	switch {
	case errors.Is(err, errClosed):
		c.flushed()
	case errors.Is(err, errPeerClosed):
		c.discard(lingering)
	case errors.As(err, &violation):
		c.close(violation, c.cfg.CloseTimeout, false)
		c.discard(c.cfg.CloseTimeout)
	default:
		c.fail(ws.CloseError{Status: ws.StatusAbnormalClosure}, err)
	}
}

// read parses what comes from the socket until there is a reason to stop.
func (c *Conn) read() error {
	b := readBuffer{small: smallPool.Get().(*[smallBuffer]byte)}
	defer b.release()
	for {
		space := b.space()
		n, err := c.readOnce(space)
		if n > 0 {
			used, err := c.parser.feed(b.filled(n))
			if err != nil {
				return err
			}
			b.consume(used, n == len(space))
		}
		if err != nil {
			return err
		}
	}
}

// readOnce waits for input. While the connection is held it keeps what came until the close handshake needs it.
func (c *Conn) readOnce(p []byte) (int, error) {
	c.wait(true)
	c.reading.Store(c.age())
	n, err := c.socket.read(p)
	c.reading.Store(0)
	if n > 0 {
		c.heard.Store(c.age())
	}
	if held := c.wait(false); held && n > 0 {
		<-c.closing
	}
	return n, err
}

// wait says whether the reader waits for input, and returns whether it has to stop here.
func (c *Conn) wait(waiting bool) (held bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = waiting
	if waiting {
		c.parkLocked()
	}
	return c.parked != nil
}

// Hold stops the reading: what was read is still handled, then nothing more until the close handshake. The channel is
// closed when that is so.
func (c *Conn) Hold() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parked == nil {
		c.parked = make(chan struct{})
		if c.waiting || c.state != StateOpen {
			close(c.parked)
		}
	}
	return c.parked
}

// parkLocked says that the reader stands still.
func (c *Conn) parkLocked() {
	if c.parked == nil {
		return
	}
	select {
	case <-c.parked:
	default:
		close(c.parked)
	}
}

// discard reads and throws away until the peer hangs up, at most for d after the close frame is out. It reads from the
// start: a peer that writes before it reads would wait for ever otherwise, and the close frame behind it.
func (c *Conn) discard(d time.Duration) {
	hungUp := make(chan struct{})
	c.writers.Go(func() {
		c.flushed()
		if c.socket.finishWriting() {
			wait(hungUp, d)
		}
		c.socket.close()
	})
	p := smallPool.Get().(*[smallBuffer]byte)
	defer smallPool.Put(p)
	for {
		if _, err := c.socket.read(p[:]); err != nil {
			break
		}
	}
	c.flushed()
	close(hungUp)
}

// wait returns when c is closed, and after d if that is above 0.
func wait(c <-chan struct{}, d time.Duration) {
	if d <= 0 {
		<-c
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c:
	case <-t.C:
	}
}

// flushed waits until the writer has nothing left to do. The close timeout bounds it.
func (c *Conn) flushed() {
	for {
		moved, _ := c.out.watch()
		if moved == nil {
			return
		}
		<-moved
	}
}

// finish makes sure that nothing of the connection goes on.
func (c *Conn) finish() {
	c.fail(ws.CloseError{Status: ws.StatusAbnormalClosure}, nil)
	c.socket.close()
	c.writers.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = StateClosed
	c.parkLocked()
	if c.timer != nil {
		c.timer.Stop()
	}
}

// readBuffer is the bytes that were read and not yet parsed, at the start of a pooled array.
type readBuffer struct {
	small *[smallBuffer]byte
	large *[largeBuffer]byte // instead of small, while reads are long
	have  int
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

// consume forgets the first used bytes, and moves to the array that fits how long reads are.
func (b *readBuffer) consume(used int, full bool) {
	rest := b.bytes()[used:b.have]
	b.have = len(rest)
	switch {
	case full && b.large == nil:
		large := largePool.Get().(*[largeBuffer]byte)
		copy(large[:], rest)
		smallPool.Put(b.small)
		b.small, b.large = nil, large
	case !full && b.large != nil && used < smallBuffer/2 && len(rest) < smallBuffer/2:
		small := smallPool.Get().(*[smallBuffer]byte)
		copy(small[:], rest)
		largePool.Put(b.large)
		b.small, b.large = small, nil
	default:
		copy(b.bytes(), rest)
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
