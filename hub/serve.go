package hub

import (
	"context"
	"errors"
	"log/slog"
	"net"

	"github.com/fiberwsx/wsx/ws"
)

// Serve runs a connection whose handshake is done. It is the seam for any framework that can give up a connection.
//
// On Linux a plain TCP socket, nc itself or one that nc gives up by a method UnsafeConn() net.Conn as those of fasthttp
// do, goes on under a descriptor of its own: then Serve returns as soon as OnOpen has, with nc closed, so that whoever
// accepted the connection can free what it holds for it. Every other nc is used as it is until the connection is over,
// and Serve returns then, with nc closed and an error that says how the connection ended and always holds a
// [ws.CloseError].
//
// OnClose is told how a connection ended, and Request.Over that it is over. Errors of one that has not begun, with nc
// closed: [ErrDraining], [ErrFull]. With a reservation made in time a client still learns with 1001 that the hub is
// shutting down.
func (h *Hub) Serve(nc net.Conn, r Request) (err error) {
	if r.Reservation == nil {
		if r.Reservation, err = h.Reserve(); err != nil {
			_ = nc.Close()
			if r.Over != nil {
				r.Over()
			}
			return err
		}
	}
	c := newConn(h, nc, r)
	defer func() { // even if OnOpen has ended the goroutine
		switch {
		case c.wire.Detached() && c.acknowledges() && !c.stranger():
			go func() {
				defer c.wire.Go() // even if a callback has ended the goroutine
				c.attach()
			}()
			return
		case c.wire.Detached():
			c.wire.Go()
			return
		}
		defer func() {
			c.wire.Run()
			err = c.wire.Cause()
		}()
		if c.acknowledges() && !c.stranger() {
			c.attach()
		}
	}()
	if c.stranger() {
		c.await()
	} else {
		c.open()
	}
	return nil
}

// open lets the connection be found, and calls OnOpen.
func (c *Conn) open() {
	if c.wire.Detached() {
		c.hub.count.detached.Add(1)
	}
	c.hub.register(c)
	c.hub.count.opened.Add(1) // not before: who has seen it counted may close all, and it is one of them
	if r := c.req.Refusal; r != nil {
		_ = c.Close(r.Status, r.Reason)
		return
	}
	if c.login != nil {
		c.expireAt(c.identity().Expires)
	}
	c.endIfRevoked()
	if c.hub.log.Enabled(context.Background(), slog.LevelDebug) {
		c.hub.log.Debug("websocket opened", "conn", c.id, "subject", quoted(c.Subject()), "ip", quoted(c.IP()))
	}
	if c.hub.cfg.OnOpen != nil {
		if err := c.guard("OnOpen", func() error { return c.hub.cfg.OnOpen(c) }); err != nil {
			c.refuse(err)
			return
		}
	}
	c.arrive()
	c.watch()
	c.startAge()
	if c.hub.cfg.OnConn != nil {
		go c.loop()
	}
	if c.hub.closing() {
		c.goAway()
	} else if c.hub.Draining() {
		c.wire.Hold()
	}
}

// arrive lets what is sent to all, and to the subject, reach the connection from now on.
func (c *Conn) arrive() {
	s := c.shard
	s.lockMembers(c)
	s.catchUpLocked(c)
	c.opened.Store(true)
	s.unlockMembers()
	c.wire.Kick()
}

// refuse closes with the status of OnOpen's error. A crash has been reported, and has closed, already.
func (c *Conn) refuse(err error) {
	var crash *PanicError
	if errors.As(err, &crash) || c.closeAs(err) {
		return
	}
	c.report(err)
	_ = c.Close(ws.StatusPolicyViolation, "")
}

// tellClosed calls OnClose, when OnConn has returned.
func (c *Conn) tellClosed() {
	if c.inbox != nil && c.opened.Load() {
		<-c.inbox.returned
	}
	if c.lane != nil {
		c.flushTail()
	}
	cause := c.cause()
	if c.hub.log.Enabled(context.Background(), slog.LevelDebug) {
		c.hub.log.Debug("websocket closed", "conn", c.id, "subject", quoted(c.Subject()), "cause", cause)
	}
	if c.hub.cfg.OnClose != nil && !c.stranger() && c.req.Refusal == nil {
		_ = c.guard("OnClose", func() error {
			c.hub.cfg.OnClose(c, cause)
			return nil
		})
	}
}

func (c *Conn) over() {
	if s := c.stream.Load(); s != nil {
		s.detach(c)
	}
	c.hub.unregister(c)
	if c.stranger() {
		c.hub.count.strangers.Add(1)
	} else {
		c.hub.count.closed.Add(1)
	}
	if c.wire.Detached() && !c.stranger() {
		c.hub.count.detached.Add(-1)
	}
	c.mu.Lock()
	c.ended = true
	if c.done != nil {
		close(c.done)
	}
	c.mu.Unlock()
	c.req.Reservation.Release()
	if c.req.Over != nil {
		c.req.Over()
	}
}
