package wire

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/fiberwsx/wsx/ws"
)

// errNapping means that the connection goes on in another goroutine, and that this one must not touch it any more.
var errNapping = errors.New("wire: napping")

// Run reads until the connection has ended and its socket is closed. Afterwards nothing reaches the socket any more.
func (c *Conn) Run() { c.live(false) }

// Go does what Run does for a detached connection, and returns at once. While the connection has nothing to do it holds
// no goroutine: one is started for what comes, and stays as long as messages come; see [Conn.Rest].
func (c *Conn) Go() {
	if len(c.rest) == 0 {
		c.wait()
		if c.engine.lot.park(c) {
			return
		}
	}
	go c.wake()
}

// wake is the goroutine of a connection that has something to do.
func (c *Conn) wake() { c.live(true) }

// Rest tells a connection that was started with [Conn.Go] to give up its goroutine if no message has come since the
// last call. Somebody who calls it now and then saves the memory of those that only wait.
func (c *Conn) Rest() {
	if c.detached && !c.active.Swap(false) && !c.engine.lot.has(c) {
		c.socket.(*detached).interrupt()
	}
}

func (c *Conn) live(mayNap bool) {
	var err error
	returned := false
	defer func() {
		if returned && errors.Is(err, errNapping) {
			return
		}
		c.engine.letOthers()
		c.mu.Lock()
		c.parkLocked() // nothing is handled any more
		c.mu.Unlock()
		defer c.handler.Ended()
		defer c.finish()
		if !returned { // runtime.Goexit in a callback: where the parser stands is not known
			c.close(ws.CloseError{Status: ws.StatusInternalError}, c.engine.CloseTimeout, false)
			c.discard(c.engine.CloseTimeout, false)
			return
		}
		c.end(err)
	}()
	err = c.read(mayNap)
	returned = true
}

// end does what is due after reading has stopped with err.
func (c *Conn) end(err error) {
	var violation ws.CloseError
	switch {
	case errors.Is(err, errPeerClosed):
		c.discard(lingering, true)
	case errors.As(err, &violation):
		c.parser.forget() // the peer may let the close handshake take its time
		c.close(violation, c.engine.CloseTimeout, false)
		c.discard(c.engine.CloseTimeout, false)
	default:
		if errors.Is(err, io.EOF) {
			c.answerOut(err)
		}
		c.fail(ws.CloseError{Status: ws.StatusAbnormalClosure}, err, 0)
	}
}

// answerOut lets what is queued go out when the peer has finished writing: it may still be reading.
func (c *Conn) answerOut(cause error) {
	c.mu.Lock()
	first := c.beginLocked(&failure{ws.CloseError{Status: ws.StatusAbnormalClosure}, cause}, lingering)
	c.mu.Unlock()
	if first {
		c.out.sealOnly()
		c.handler.Closing()
	}
	c.flushed()
	if !c.detached {
		c.socket.finishWriting() // TLS says goodbye
	}
}

// read parses what comes from the socket until there is a reason to stop.
func (c *Conn) read(mayNap bool) error {
	if len(c.rest) > 0 { // no event tells of what was read before
		used, err := c.parse(c.rest, 0)
		if err != nil {
			return err
		}
		c.keep(c.rest[used:])
	}
	return c.socket.run(c, mayNap)
}

// parse handles the frames in b; see [parser.feed].
func (c *Conn) parse(b []byte, room int) (used int, err error) {
	used, err = c.parser.feed(b, room)
	c.handler.Pause()
	if c.collecting {
		c.collecting = false
		c.out.uncork()
	}
	poison(b[:used])
	return used, err
}

// collect has answers wait for those of the next frames, or not any more.
func (c *Conn) collect(on bool) {
	if on {
		c.collecting = true
	}
	c.out.cork(on)
}

// keep stores what was read and not parsed: less than a control frame.
func (c *Conn) keep(rest []byte) {
	if len(rest) == 0 {
		c.rest = nil
		return
	}
	c.rest = append(c.rest[:0:0], rest...)
}

// wait notes that there is nothing to do until the peer sends something.
func (c *Conn) wait() {
	if c.stirred {
		c.stirred = false
		c.active.Store(true)
	}
	c.reading.Store(max(1, c.engine.age()))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = true
	c.parkLocked()
}

// woken notes that the waiting is over. While the connection is held, what came is kept until the close handshake needs
// it.
func (c *Conn) woken(heard bool) {
	since := c.reading.Swap(0)
	if heard {
		c.hear(since)
	}
	c.mu.Lock()
	c.waiting = false
	held := c.parked != nil
	c.parkLocked()
	c.mu.Unlock()
	if held && heard {
		<-c.Done()
	}
}

// hear notes that something was read, for which the reader has waited since then; 0: not at all.
func (c *Conn) hear(since int64) {
	last := c.readAt
	c.readAt = time.Now()
	age := c.readAt.Sub(c.engine.start)
	waited := time.Duration(0)
	if since > 0 {
		waited = age - time.Duration(since)
	}
	c.rate.read(waited, c.readAt.Sub(last)-waited)
	c.heard.Store(int64(age))
}

// Hold stops the reading: what was read is still handled, then nothing more until the close handshake. The channel is
// closed when that is so.
func (c *Conn) Hold() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parked == nil {
		c.parked = make(chan struct{})
		if c.waiting || c.State() != StateOpen {
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

// discard reads and throws away until the peer hangs up, at most for d after the close frame is out. A peer that cannot
// be told by a half close that nothing more comes may wait for that: the socket is closed at once if both have closed
// in order, and else as soon as the peer is silent, at most for lingering after the close frame. It reads from the
// start: a peer that writes before it reads would wait for ever otherwise, and the close frame behind it.
func (c *Conn) discard(d time.Duration, inOrder bool) {
	hungUp, begun := make(chan struct{}), time.Now()
	var heard atomic.Int64 // when it last was, from then on
	c.writers.Go(func() {
		c.flushed()
		out := time.Since(begun)
		switch {
		case c.socket.finishWriting():
			c.linger(hungUp, d)
		case !inOrder:
			for left := silence; left > 0 && !wait(hungUp, left); {
				now := time.Since(begun)
				left = min(silence-now+time.Duration(heard.Load()), out+lingering-now)
			}
		}
		c.socket.close()
	})
	p := smallPool.Get().(*[smallBuffer]byte)
	defer smallPool.Put(p)
	for {
		if _, err := c.socket.read(p[:]); err != nil {
			break
		}
		heard.Store(int64(time.Since(begun)))
	}
	c.flushed()
	close(hungUp)
}

// linger waits until the peer has hung up, at most for d; but for a peer that has not got everything yet until the
// close timeout cuts it off, if there is one.
func (c *Conn) linger(hungUp <-chan struct{}, d time.Duration) {
	for !wait(hungUp, d) && c.engine.CloseTimeout > 0 && !c.socket.delivered() {
		d = lingering
	}
}

// wait waits until c is closed, at most for d if that is above 0, and reports whether it is.
func wait(c <-chan struct{}, d time.Duration) bool {
	if d <= 0 {
		<-c
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c:
		return true
	case <-t.C:
		return false
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
	c.fail(ws.CloseError{Status: ws.StatusAbnormalClosure}, nil, 0)
	c.socket.close()
	c.writers.Wait()
	c.socket.release(c)
	c.parser.forget()
	c.out.forget()
	if c.shares() {
		c.engine.sharing.Add(-1)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Store(int32(StateClosed))
	c.parkLocked()
	if c.timer != nil {
		c.timer.Stop()
	}
}
