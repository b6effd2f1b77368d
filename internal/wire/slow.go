package wire

import (
	"time"

	"github.com/fiberwsx/wsx/ws"
)

// overflow closes because of a slow consumer.
func (c *Conn) overflow() error {
	if !c.close(ws.CloseError{Status: ws.StatusSlowConsumer, Reason: "slow consumer"}, c.engine.CloseTimeout, true) {
		return ErrClosed
	}
	return ErrSlowConsumer
}

// shed drops what may be dropped until the rest is worth no close. False: it is.
func (c *Conn) shed() bool { return c.out.shed() }

// tryLater closes because of a message that is not whole, for which there is no memory any more. The peer has broken no
// rule.
func (c *Conn) tryLater() error {
	return c.Close(ws.StatusTryAgainLater, "unfinished messages hold too much")
}

// awaitRoom waits until a message that found the outbox at a limit may be tried again. The error is
// [ErrSlowConsumer]: the socket takes nothing, and the connection closes; or [ErrClosed], because it does already.
func (c *Conn) awaitRoom(patience time.Duration) error {
	if c.waitForRoom(patience) {
		return nil
	}
	return c.overflow()
}

// waitForRoom waits for the writer's next progress. False means that the socket has refused for too long.
func (c *Conn) waitForRoom(patience time.Duration) bool {
	moved, stuck := c.out.watch()
	if moved == nil {
		return true
	}
	if stuck >= patience {
		return false
	}
	t := time.NewTimer(patience - stuck)
	defer t.Stop()
	select {
	case <-moved:
	case <-t.C: // the next try is the last one
	}
	return true
}
