package hub

import (
	"errors"
	"net"

	"github.com/fiberwsx/wsx/ws"
)

// Serve runs a connection whose handshake is done, and returns when it is over: nc is closed, and OnClose was called.
// The error says how it ended and always holds a [ws.CloseError]. It is the seam for any framework that can give up a
// connection. Errors before the connection begins, with nc closed: [ErrDraining], [ErrFull]; with a reservation made
// in time a client still learns with 1001 that the hub is shutting down.
func (h *Hub) Serve(nc net.Conn, r Request) error {
	if r.Reservation == nil {
		var err error
		if r.Reservation, err = h.Reserve(); err != nil {
			_ = nc.Close()
			return err
		}
	}
	c := newConn(h, nc, r)
	c.serve()
	return c.wire.Cause()
}

// serve is the life of the connection. Every step is deferred, because each may end the goroutine.
func (c *Conn) serve() {
	defer c.over()
	defer c.tellClosed()
	defer c.leaveAll()
	defer c.wire.Run()
	c.open()
}

// open lets the connection be found, and calls OnOpen.
func (c *Conn) open() {
	c.hub.count.opened.Add(1)
	c.hub.register(c)
	c.hub.log.Debug("websocket opened", "conn", c.id, "subject", quoted(c.Subject()), "ip", quoted(c.IP()))
	if c.hub.cfg.OnOpen != nil {
		if err := c.guard("OnOpen", func() error { return c.hub.cfg.OnOpen(c) }); err != nil {
			c.refuse(err)
			return
		}
	}
	c.opened.Store(true)
	c.watch()
	if c.hub.cfg.OnConn != nil {
		go c.loop()
	}
	if c.hub.closing() {
		_ = c.Close(ws.StatusGoingAway, shutdownReason)
	} else if c.hub.Draining() {
		c.wire.Hold()
	}
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
	cause := c.wire.Cause()
	c.hub.log.Debug("websocket closed", "conn", c.id, "subject", quoted(c.Subject()), "cause", cause)
	if c.hub.cfg.OnClose != nil {
		_ = c.guard("OnClose", func() error {
			c.hub.cfg.OnClose(c, cause)
			return nil
		})
	}
}

func (c *Conn) over() {
	c.hub.unregister(c)
	c.hub.count.closed.Add(1)
	close(c.done)
	c.req.Reservation.Release()
}
