package hub_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// call is a public call that a program of [FuzzCalls] can make, and the errors that it may return.
type call struct {
	name   string
	errors []error
	make   func(a *arena, c, other *hub.Conn, arg byte) error
}

// inHandlers is how many of the calls a handler makes too: the rest is for other goroutines.
var inHandlers = len(calls) - 3

// calls are all of them. A program names them by number, so new ones come in front of the last three.
var calls = []call{
	{"Send", closedOnly, func(_ *arena, c, _ *hub.Conn, arg byte) error { return c.Send(labelled(bit(c), arg)) }},
	{"SendText of no text", []error{hub.ErrClosed, hub.ErrInvalidUTF8}, func(_ *arena, c, _ *hub.Conn, _ byte) error {
		return mustFail(c.SendText("\xff"))
	}},
	{"Ping", closedOnly, func(_ *arena, c, _ *hub.Conn, _ byte) error { return c.Ping(labelled(bit(c), 0).Data) }},
	{"Ping of too much", []error{hub.ErrClosed, hub.ErrControlTooLong}, func(_ *arena, c, _ *hub.Conn, arg byte) error {
		return mustFail(c.Ping(make([]byte, 126+int(arg))))
	}},
	{"Pong", closedOnly, func(_ *arena, c, _ *hub.Conn, _ byte) error { return c.Pong(labelled(bit(c), 0).Data) }},
	{"Close", []error{hub.ErrClosed, hub.ErrStatus}, func(_ *arena, c, _ *hub.Conn, arg byte) error {
		return c.Close(statuses[int(arg)%len(statuses)], "closed by a call")
	}},
	{"Join", []error{hub.ErrClosed, errNotYours}, func(_ *arena, c, _ *hub.Conn, arg byte) error {
		return c.Join(roomNamed(arg))
	}},
	{"Leave", nil, func(_ *arena, c, _ *hub.Conn, arg byte) error { c.Leave(roomNamed(arg)); return nil }},
	{"In", nil, func(_ *arena, c, _ *hub.Conn, arg byte) error {
		if room := roomNamed(arg); c.In(room) && maskOfRoom(room)&bit(c) == 0 {
			return fmt.Errorf("it is in %s", room)
		}
		return nil
	}},
	{"Rooms", nil, func(_ *arena, c, _ *hub.Conn, _ byte) error {
		if rooms := c.Rooms(); len(rooms) > 2 {
			return fmt.Errorf("it is in %q", rooms)
		}
		return nil
	}},
	{"Conn.To", []error{hub.ErrNotMember, hub.ErrDraining}, func(_ *arena, c, other *hub.Conn, arg byte) error {
		room := roomNamed(arg)
		return c.To(room).Except(other).Send(labelled(maskOfRoom(room)&^bit(other), arg))
	}},
	{"Buffered", nil, func(_ *arena, c, _ *hub.Conn, _ byte) error {
		if messages, bytes := c.Buffered(); messages < 0 || bytes < messages {
			return fmt.Errorf("%d messages of %d bytes", messages, bytes)
		}
		return nil
	}},
	{"Flush", []error{hub.ErrClosed, context.DeadlineExceeded}, func(_ *arena, c, _ *hub.Conn, arg byte) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(arg)*time.Millisecond)
		defer cancel()
		return c.Flush(ctx)
	}},
	{"Context", nil, func(_ *arena, c, _ *hub.Conn, _ byte) error {
		if ctx := c.Context(); ctx.Err() != nil && ws.StatusOf(context.Cause(ctx)) == 0 {
			return fmt.Errorf("it ended with %w", context.Cause(ctx))
		}
		return nil
	}},
	{"Done", nil, func(_ *arena, c, _ *hub.Conn, _ byte) error {
		select {
		case <-c.Done():
			return mustBeClosed(c)
		default:
			return nil
		}
	}},
	{"State", nil, func(_ *arena, c, _ *hub.Conn, _ byte) error {
		if first, second := c.State(), c.State(); second < first {
			return fmt.Errorf("it was %s and is %s", first, second)
		}
		return nil
	}},
	{"RTT", nil, func(_ *arena, c, _ *hub.Conn, _ byte) error {
		if d := c.RTT(); d != 0 {
			return fmt.Errorf("it is %s without a heartbeat", d)
		}
		return nil
	}},
	{"LastSeen", nil, func(_ *arena, c, _ *hub.Conn, _ byte) error {
		if t := c.LastSeen(); t.After(time.Now()) {
			return fmt.Errorf("it is %s", t)
		}
		return nil
	}},
	{"Hub.To", drainingOnly, func(a *arena, c, other *hub.Conn, arg byte) error {
		first, second := roomNamed(arg), roomNamed(arg>>2)
		if arg&1 == 0 {
			return a.hub.To(first).Send(labelled(maskOfRoom(first), arg))
		}
		mask := (maskOfRoom(first) | maskOfRoom(second)) &^ (bit(c) | bit(other))
		return a.hub.To(first, second, "nobody's").Except(c).Except(other, c).Send(labelled(mask, arg))
	}},
	{"Hub.User", drainingOnly, func(a *arena, c, other *hub.Conn, arg byte) error {
		mask := maskOfSubject(c.Subject())
		if c.Subject() == "" {
			mask = 0 // those without a subject are nobody's
		}
		return a.hub.User(c.Subject()).Except(other).Send(labelled(mask&^bit(other), arg))
	}},
	{"Hub.All", drainingOnly, func(a *arena, _, other *hub.Conn, arg byte) error {
		return a.hub.All().Except(other).Send(labelled(^bit(other), arg))
	}},
	{"Target.Close", []error{hub.ErrDraining, hub.ErrStatus}, func(a *arena, _, other *hub.Conn, arg byte) error {
		return a.hub.To(roomNamed(arg)).Except(other).Close(statuses[int(arg)%len(statuses)], "")
	}},
	{"Hub.Conn", nil, func(a *arena, c, _ *hub.Conn, _ byte) error {
		if found, ok := a.hub.Conn(c.ID()); ok && found != c {
			return errors.New("it is another one")
		}
		return nil
	}},
	{"Hub.Len", nil, func(a *arena, _, _ *hub.Conn, _ byte) error {
		if n := a.hub.Len(); n < 0 || n > mostConns {
			return fmt.Errorf("it is %d", n)
		}
		return nil
	}},
	{"Hub.Conns", closedOnly, func(a *arena, _, other *hub.Conn, arg byte) error {
		for c := range a.hub.Conns() {
			if err := c.Send(labelled(bit(c), arg)); err != nil || c == other {
				return err
			}
		}
		return nil
	}},
	{"Hub.Room", closedOnly, func(a *arena, _, _ *hub.Conn, arg byte) error {
		room := a.hub.Room(roomNamed(arg))
		for c := range room.Members() {
			if maskOfRoom(room.Name())&bit(c) == 0 {
				return fmt.Errorf("connection %v is in %s", c.Local("number"), room.Name())
			}
			if arg&8 != 0 {
				c.Leave(room.Name())
			}
		}
		if n := room.Len(); n < 0 || n > mostConns {
			return fmt.Errorf("it has %d members", n)
		}
		return nil
	}},
	{"Hub.Stats", nil, func(a *arena, _, _ *hub.Conn, _ byte) error {
		if s := a.hub.Stats(); s.Opened > mostConns || s.Closed > mostConns || s.Panics > 0 {
			return fmt.Errorf("they are %+v", s)
		}
		return nil
	}},
	{"Hub.Shutdown", []error{context.DeadlineExceeded}, func(a *arena, _, _ *hub.Conn, arg byte) error {
		if arg%4 != 0 {
			return nil // or hardly anything would come behind it
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(arg)*time.Second)
		defer cancel()
		var stuck *hub.ShutdownError // the handler that has called it
		if err := a.hub.Shutdown(ctx); !errors.As(err, &stuck) {
			return err
		}
		return nil
	}},

	{"open", nil, func(a *arena, _, _ *hub.Conn, _ byte) error { a.open(); return nil }},
	{"hang up", nil, func(a *arena, c, _ *hub.Conn, _ byte) error { a.peer(c).Reset(); return nil }},
	{"handler", nil, func(a *arena, c, _ *hub.Conn, arg byte) error {
		a.peer(c).send(wire.OpBinary, []byte{arg, byte(c.Local("number").(int)), arg >> 3})
		return nil
	}},
}

var (
	closedOnly   = []error{hub.ErrClosed}
	drainingOnly = []error{hub.ErrDraining}
	statuses     = []ws.Status{1000, 1008, 4003, 1005, 0}
)

func roomNamed(arg byte) string { return roomNames[int(arg)%len(roomNames)] }

func (a *arena) peer(c *hub.Conn) *peer {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.peers[c.Local("number").(int)]
}

func mustFail(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

func mustBeClosed(c *hub.Conn) error {
	if c.State() != hub.StateClosed {
		return fmt.Errorf("it is done and %s", c.State())
	}
	return nil
}
