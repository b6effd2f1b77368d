package wire

import (
	"time"

	"github.com/fiberwsx/wsx/ws"
)

const (
	// proven is for how long the socket has refused when nobody has to watch it to believe it.
	proven = time.Second
	// mostStarved is for how long a writer is believed to wait for something else than its peer.
	mostStarved = 10 * time.Second
	// looks is in how many parts a sender waits.
	looks = 5
)

// overflow closes because of a slow consumer.
func (c *Conn) overflow() error {
	if !c.close(ws.CloseError{Status: ws.StatusSlowConsumer, Reason: "slow consumer"}, c.engine.CloseTimeout, true) {
		return ErrClosed
	}
	return ErrSlowConsumer
}

// shed drops what may be dropped, if that spares the connection a close. False: it does not.
func (c *Conn) shed() bool { return c.out.shed() }

// starves reports whether c's writer, which has not moved for so long, waits for a processor, as far as that is known:
// the socket would take something. It is not believed for ever, because a net.Conn may wait for something else.
func (c *Conn) starves(stuck time.Duration) bool { return stuck < mostStarved && c.socket.takes() }

// reads reports whether c's peer, though the writer has not moved for so long, takes what it was sent, as far as that
// is known: it acknowledges it, and there is not enough room in the socket yet. That keeps who sends to it waiting, but
// no memory from others: a peer may read very little.
func (c *Conn) reads(stuck time.Duration) bool { return stuck < mostStarved && c.socket.reads() }

// tryLater closes because of a message that is not whole, for which there is no memory any more. The peer has broken no
// rule.
func (c *Conn) tryLater() error {
	return c.Close(ws.StatusTryAgainLater, "unfinished messages hold too much")
}

// awaitRoom waits until a message that found the outbox at a limit may be tried again. begun is when the message began
// to wait; the first call for it sets that. The error is [ErrSlowConsumer] when the socket takes nothing, or too little
// for as long as the write deadline, and the connection closes; [ErrClosed] when it is closing already.
func (c *Conn) awaitRoom(begun *time.Time, patience time.Duration) error {
	if begun.IsZero() {
		*begun = time.Now()
	}
	if c.waitForRoom(*begun, patience) {
		return nil
	}
	return c.overflow()
}

// waitForRoom waits for the writer's next progress. False means that the socket has refused for too long: while the
// sender watched it, or for so long that nobody has to.
//
// What passed before the sender came, and what passed while this process did not get to run, proves nothing: a writer
// without a processor looks like a peer that does not read. So a look counts only if it took about as long as it
// should, and none where the socket would take something in the end or the peer has taken something meanwhile.
func (c *Conn) waitForRoom(begun time.Time, patience time.Duration) bool {
	c.socket.reads() // what is acknowledged by now says nothing later on
	look := patience / looks
	t := time.NewTimer(look)
	defer t.Stop()
	for seen := time.Duration(0); ; t.Reset(look) {
		moved, stuck := c.out.watch()
		seen = min(seen, stuck)
		switch {
		case moved == nil:
			return true
		case c.engine.WriteDeadline > 0 && time.Since(begun) >= c.engine.WriteDeadline:
			return false
		case seen >= patience || stuck >= proven:
			if !c.starves(stuck) && !c.reads(stuck) {
				return false
			}
			seen = 0
		}
		looking := time.Now()
		select {
		case <-moved:
			return true
		case <-t.C:
		}
		if time.Since(looking) < 2*look {
			seen += look
		}
	}
}
