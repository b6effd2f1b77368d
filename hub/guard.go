package hub

import (
	"errors"
	"runtime/debug"
	"strconv"

	"github.com/fiberwsx/wsx/ws"
)

// guard calls f. A panic comes back as a [PanicError]; it and runtime.Goexit, which cannot come back, are reported
// and close the connection with 1011.
func (c *Conn) guard(callback string, f func() error) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		crash := &PanicError{Callback: callback, Goexit: recover() == nil, Stack: debug.Stack()}
		c.hub.count.panics.Add(1)
		_ = c.Close(ws.StatusInternalError, "")
		if callback != "OnError" {
			c.report(crash)
		}
		err = crash
	}()
	err = f()
	returned = true
	return err
}

// report tells OnError, or the log.
func (c *Conn) report(err error) {
	if c.hub.cfg.OnError != nil {
		_ = c.guard("OnError", func() error {
			c.hub.cfg.OnError(c, err)
			return nil
		})
		return
	}
	var crash *PanicError
	if errors.As(err, &crash) {
		c.hub.log.Error("websocket callback crashed", "conn", c.id, "error", err, "stack", string(crash.Stack))
		return
	}
	c.hub.log.Warn("websocket handler failed", "conn", c.id, "subject", quoted(c.Subject()), "error", quoted(err.Error()))
}

// ending is how a connection has ended. A [ws.CloseError] that a handler returns closes its own connection; one that it
// has from another does not.
type ending struct {
	error
	conn *Conn
}

func (e ending) Unwrap() error { return e.error }

// cause returns how the connection has ended, or nil.
func (c *Conn) cause() error {
	if err := c.wire.Cause(); err != nil {
		return ending{err, c}
	}
	return nil
}

// closeAs closes the connection as err says. False: err does not say it.
func (c *Conn) closeAs(err error) bool {
	var (
		over ending
		e    ws.CloseError
	)
	switch {
	case errors.As(err, &over):
		return over.conn == c
	case errors.As(err, &e):
		_ = c.Close(e.Status, e.Reason)
	case errors.Is(err, ErrRoomFull):
		_ = c.Close(ws.StatusRoomFull, "room full")
	default:
		return false
	}
	return true
}

// settle draws the conclusion from what a handler returned.
func (c *Conn) settle(err error) {
	if err == nil {
		c.failures = 0
		return
	}
	var crash *PanicError
	switch {
	case errors.As(err, &crash), c.closeAs(err):
		return
	case c.closing() && (errors.Is(err, ErrClosed) || errors.Is(err, ErrSlowConsumer)):
		return // of this connection, which has closed under the handler
	}
	c.report(err)
	c.failures++
	if c.hub.cfg.ErrorBudget > 0 && c.failures >= c.hub.cfg.ErrorBudget {
		_ = c.Close(ws.StatusInternalError, "too many errors")
	}
}

// maxLogged is how many bytes of what a client chose may stand in a log.
const maxLogged = 256

// quoted makes what a client chose fit for a log.
func quoted(s string) string {
	s = s[:min(len(s), maxLogged)]
	if q := strconv.Quote(s); q != `"`+s+`"` {
		return q
	}
	return s
}
