package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

const (
	callers    = 3  // goroutines that call
	begunConns = 3  // connections at the start, beside as many that are over
	mostConns  = 24 // connections in all
	mostSteps  = 64 // calls of one program
)

// FuzzCalls runs programs of public calls. Three bytes are one call: which, by whom and on which connection, with which
// argument. Nothing may panic, hang, return an error that it should not, or reach another peer than those whom the
// payload names.
func FuzzCalls(f *testing.F) {
	f.Fuzz(func(t *testing.T, program []byte) {
		synctest.Test(t, func(t *testing.T) { runProgram(t, program) })
	})
}

func runProgram(t *testing.T, program []byte) {
	a := newArena(t)
	for range begunConns {
		a.open()
	}
	synctest.Wait()
	for _, s := range a.peers {
		_ = s.Conn().Close() // from now on these are over
	}
	synctest.Wait()
	for range begunConns {
		a.open()
	}
	synctest.Wait()
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.run(program)
	}()
	select {
	case <-done:
	case <-time.After(time.Hour):
		panic("the calls hang") // with the stacks of all
	}
	a.finish()
}

// step is one call of a program.
type step struct{ call, conn, arg byte }

// run has each caller make its calls.
func (a *arena) run(program []byte) {
	var steps [callers][]step
	for b := range slices.Chunk(program[:min(len(program), 3*mostSteps)], 3) {
		if len(b) == 3 {
			who := b[1] % callers
			steps[who] = append(steps[who], step{b[0], b[1] / callers, b[2]})
		}
	}
	var wg sync.WaitGroup
	for _, own := range steps {
		wg.Go(func() {
			for _, s := range own {
				a.call(s, calls)
			}
		})
	}
	wg.Wait()
}

// arena is a hub, the handles of all its connections and their peers. Each connection has a number, of which the bits
// of a mask tell who may get a message.
type arena struct {
	t   *testing.T
	hub *hub.Hub

	mu      sync.Mutex
	handles []*hub.Conn // in the order in which OnOpen was called
	peers   []*peer
	closed  map[*hub.Conn]int
}

func newArena(t *testing.T) *arena {
	a := &arena{t: t, closed: make(map[*hub.Conn]int)}
	a.hub = newHub(t, hub.Config{
		Rate: -1, ErrorBudget: -1,
		OnOpen: func(c *hub.Conn) error {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.handles = append(a.handles, c)
			return nil
		},
		OnMessage: func(_ *hub.Conn, m hub.Message) error {
			a.call(step{m.Data[0], m.Data[1], m.Data[2]}, calls[:inHandlers])
			return nil
		},
		OnJoin: func(c *hub.Conn, room string) error {
			if maskOfRoom(room)&bit(c) == 0 {
				return errNotYours
			}
			return nil
		},
		OnClose: func(c *hub.Conn, _ error) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.closed[c]++
		},
	})
	return a
}

var errNotYours = errors.New("not your room")

// open has one more connection come, and its peer read and check.
func (a *arena) open() {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := len(a.peers)
	if n == mostConns {
		return
	}
	request := asSubject(subjects[n%len(subjects)])
	request.Locals = map[string]any{"number": n}
	s := &peer{begin(a.t, a.hub, request), make(chan struct{}, 1)}
	a.peers = append(a.peers, s)
	go a.listen(s, uint64(1)<<n)
}

// peer is the other side of a connection.
type peer struct {
	*session

	writes chan struct{} // for one at a time: time would stand still while two wait for the lock of a pipe
}

// send writes a frame to a connection that may be over, or in a handler.
func (p *peer) send(op wire.Opcode, payload []byte) {
	p.writes <- struct{}{}
	_ = p.Conn().SetWriteDeadline(time.Now().Add(time.Minute))
	_ = p.Frame(true, op, payload)
	<-p.writes
}

// listen is the life of a peer.
func (a *arena) listen(s *peer, own uint64) {
	for {
		f, err := s.ReadFrame()
		switch {
		case isTimeout(err):
		case err != nil:
			return
		case f.Op == wire.OpClose:
			s.send(wire.OpClose, f.Payload)
			_ = s.Conn().Close()
			return
		default:
			if mask, err := strconv.ParseUint(string(f.Payload), 16, 64); err != nil || mask&own == 0 {
				a.t.Errorf("the peer %x got %q", own, f.Payload)
			}
		}
	}
}

var subjects = []string{"", "ann", "bob"}

func bit(c *hub.Conn) uint64 { return 1 << c.Local("number").(int) }

// maskOf returns who may get what is sent to those numbers of which want says so.
func maskOf(want func(n int) bool) (mask uint64) {
	for n := range mostConns {
		if want(n) {
			mask |= 1 << n
		}
	}
	return mask
}

// roomNames are rooms that one half of the connections may join, the other half, and all.
var roomNames = []string{"0", "1", "all"}

func maskOfRoom(name string) uint64 {
	room := slices.Index(roomNames, name)
	return maskOf(func(n int) bool { return n%2 == room || room == 2 })
}

func maskOfSubject(name string) uint64 {
	return maskOf(func(n int) bool { return subjects[n%len(subjects)] == name })
}

// labelled returns a message that says who may get it.
func labelled(mask uint64, arg byte) hub.Message {
	return hub.Message{Type: ws.MessageType(1 + arg&1), Data: fmt.Appendf(nil, "%x", mask)}
}

// call makes one call of the list, and checks what it returns.
func (a *arena) call(s step, list []call) {
	a.mu.Lock()
	c := a.handles[int(s.conn)%len(a.handles)]
	other := a.handles[int(s.arg>>4)%len(a.handles)]
	a.mu.Unlock()
	what := list[int(s.call)%len(list)]
	err := what.make(a, c, other, s.arg)
	if err != nil && !slices.ContainsFunc(what.errors, func(allowed error) bool { return errors.Is(err, allowed) }) {
		a.t.Errorf("%s on connection %v, %s, with %d: got %v", what.name, c.Local("number"), c.State(), s.arg, err)
	}
}

// finish ends the hub and checks that every connection is over for good.
func (a *arena) finish() {
	var stuck *hub.ShutdownError // of a handler that had called it
	if err := a.hub.Shutdown(context.Background()); err != nil && !errors.As(err, &stuck) {
		a.t.Errorf("Shutdown: got %v", err)
	}
	for _, s := range a.peers {
		<-s.over
	}
	synctest.Wait()
	if s := a.hub.Stats(); a.hub.Len() != 0 || s.Opened != s.Closed || s.Panics != 0 {
		a.t.Errorf("%d connections; %+v", a.hub.Len(), s)
	}
	for _, c := range a.handles {
		if err := over(c); err != nil {
			a.t.Errorf("connection %v: %v", c.Local("number"), err)
		}
		if n := a.closed[c]; n != 1 {
			a.t.Errorf("connection %v: OnClose was called %d times", c.Local("number"), n)
		}
	}
}

// over returns what a handle says that one must not say whose connection is over.
func over(c *hub.Conn) error {
	messages, bytes := c.Buffered()
	switch {
	case c.State() != hub.StateClosed:
		return fmt.Errorf("it is %s", c.State())
	case len(c.Rooms()) > 0 || slices.ContainsFunc(roomNames, c.In):
		return fmt.Errorf("it is in %q", c.Rooms())
	case messages != 0 || bytes != 0:
		return fmt.Errorf("%d messages of %d bytes wait", messages, bytes)
	case c.Context().Err() == nil || ws.StatusOf(context.Cause(c.Context())) == 0:
		return fmt.Errorf("its context ended with %w", context.Cause(c.Context()))
	}
	select {
	case <-c.Done():
	default:
		return errors.New("it is not done")
	}
	for what, err := range map[string]error{
		"Send": c.SendText("x"), "Ping": c.Ping(nil), "Pong": c.Pong(nil), "Close": c.Close(1000, ""), "Join": c.Join("all"),
		"Flush": c.Flush(context.Background()),
	} {
		if !errors.Is(err, hub.ErrClosed) {
			return fmt.Errorf("%s returned %w", what, err)
		}
	}
	return nil
}
