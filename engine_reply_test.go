package wsx_test

import (
	"errors"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// parcel is a socket whose first write has more behind it, and perhaps the end.
type parcel struct {
	net.Conn

	rest []byte
	fin  bool
	once sync.Once
}

func (p *parcel) Write(b []byte) (n int, err error) {
	rest := p.rest
	p.rest = nil
	n, err = p.Conn.Write(slices.Concat(b, rest))
	if p.fin {
		p.once.Do(func() { err = errors.Join(err, p.Conn.(*net.TCPConn).CloseWrite()) })
	}
	return min(n, len(b)), err
}

// inOnePacket are the options to dial with the first frames right behind the handshake, and with fin no more after
// them.
func inOnePacket(address string, frames []byte, fin bool) wsxtest.Options {
	return wsxtest.Options{Dial: func() (net.Conn, error) {
		nc, err := net.DialTimeout("tcp", strings.TrimSuffix(strings.TrimPrefix(address, "ws://"), "/ws"), 5*time.Second)
		return &parcel{Conn: nc, rest: frames, fin: fin}, err
	}}
}

// texts returns frames of these messages.
func texts(messages ...string) (frames []byte) {
	for _, s := range messages {
		frames = wsxtest.AppendFrame(frames, true, opText, []byte(s))
	}
	return frames
}

// deliveries are the ways in which a client's first frames come: all in one write.
var deliveries = map[string]func(t *testing.T, address string, frames []byte) *wsxtest.Client{
	"later": func(t *testing.T, address string, frames []byte) *wsxtest.Client {
		c := wsxtest.Dial(t, address)
		if err := c.Raw(frames); err != nil {
			t.Fatal(err)
		}
		return c
	},
	"after a message": func(t *testing.T, address string, frames []byte) *wsxtest.Client {
		c := wsxtest.Dial(t, address)
		said(t, c, "hello")
		if err := c.Raw(frames); err != nil {
			t.Fatal(err)
		}
		return c
	},
	"with the handshake": func(t *testing.T, address string, frames []byte) *wsxtest.Client {
		return wsxtest.Dial(t, address, inOnePacket(address, frames, false))
	},
}

// replies are the ways in which a handler says something to its own connection.
var replies = map[string]func(h *hub.Hub, c *hub.Conn, m hub.Message) error{
	"by Send":          func(_ *hub.Hub, c *hub.Conn, m hub.Message) error { return c.Send(m) },
	"to all":           func(h *hub.Hub, _ *hub.Conn, m hub.Message) error { return h.All().Send(m) },
	"to a room":        func(h *hub.Hub, _ *hub.Conn, m hub.Message) error { return h.To("room").Send(m) },
	"to several rooms": func(h *hub.Hub, _ *hub.Conn, m hub.Message) error { return h.To("room", "other").Send(m) },
}

// joinBoth makes a connection a member of all rooms that replies go to.
func joinBoth(c *hub.Conn) error { return errors.Join(c.Join("room"), c.Join("other")) }

// TestAReplyDoesNotWaitForTheNextHandler has frames come together whose last handler blocks until the client has got
// the others' replies.
func TestAReplyDoesNotWaitForTheNextHandler(t *testing.T) {
	for way, reply := range replies {
		for when, deliver := range deliveries {
			t.Run(way+" "+when, func(t *testing.T) {
				onEach(t, func(t *testing.T, on transport) { testReplyBeforeBlock(t, on, reply, deliver) })
			})
		}
	}
}

func testReplyBeforeBlock(
	t *testing.T, on transport, reply func(*hub.Hub, *hub.Conn, hub.Message) error,
	deliver func(*testing.T, string, []byte) *wsxtest.Client,
) {
	lengths := []int{1, 2, 30}
	release := make(chan struct{}, len(lengths))
	var h *hub.Hub
	h = echoHub(hub.Config{
		OnOpen: joinBoth,
		OnMessage: func(c *hub.Conn, m hub.Message) error {
			if m.Text() == "block" {
				<-release
			}
			return reply(h, c, m)
		},
	})
	address := on.serve(t, h)
	for _, n := range lengths {
		var c *wsxtest.Client
		func() {
			defer func() { release <- struct{}{} }()
			numbers := make([]int, n)
			frames := wsxtest.AppendFrame(nil, true, opPing, []byte("ping"))
			for i := range numbers {
				numbers[i] = i
				frames = append(frames, texts(numbered(i))...)
			}
			began := time.Now()
			c = deliver(t, address, append(frames, texts("block")...))
			if f, err := c.ReadFrame(); err != nil || f.Op != opPong {
				t.Errorf("got %v, %v, want a pong", f, err)
			}
			if err := readNumbered(c, numbers); err != nil {
				t.Errorf("of %d replies: %v", n, err)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("the replies took %s, 50 ms are promised", took)
			}
		}()
		if got := c.ReadText(); got != "block" { // read here, or the next client, in the same room, gets it
			t.Errorf("the last reply is %q", got)
		}
	}
}

// ends are the ways in which a handler ends its connection, and what the client is told.
var ends = map[string]struct {
	end  func(c *hub.Conn) error
	want ws.CloseError
}{
	"panics":  {func(*hub.Conn) error { panic("no") }, ws.CloseError{Status: ws.StatusInternalError}},
	"Goexits": {func(*hub.Conn) error { runtime.Goexit(); return nil }, ws.CloseError{Status: ws.StatusInternalError}},
	"closes": {
		func(c *hub.Conn) error { return c.Close(ws.StatusKicked, "out") },
		ws.CloseError{Status: ws.StatusKicked, Reason: "out"},
	},
	"has it closed": {
		func(c *hub.Conn) error {
			closed := make(chan error)
			go func() { closed <- c.Close(ws.StatusKicked, "out") }()
			return <-closed
		},
		ws.CloseError{Status: ws.StatusKicked, Reason: "out"},
	},
	"returns a close": {
		func(*hub.Conn) error { return ws.CloseError{Status: ws.StatusPolicyViolation, Reason: "not you"} },
		ws.CloseError{Status: ws.StatusPolicyViolation, Reason: "not you"},
	},
	"closes with no status": {
		func(c *hub.Conn) error { return c.Close(1005, "") },
		ws.CloseError{Status: ws.StatusInternalError},
	},
}

// TestAReplyComesBeforeTheEnd has frames come together whose last handler ends the connection.
func TestAReplyComesBeforeTheEnd(t *testing.T) {
	for way, reply := range replies {
		for how, e := range ends {
			t.Run(way+", then "+how, func(t *testing.T) {
				onEach(t, func(t *testing.T, on transport) { testReplyBeforeEnd(t, on, reply, e.end, e.want) })
			})
		}
	}
}

func testReplyBeforeEnd(
	t *testing.T, on transport, reply func(*hub.Hub, *hub.Conn, hub.Message) error,
	end func(*hub.Conn) error, want ws.CloseError,
) {
	var h *hub.Hub
	h = echoHub(hub.Config{
		OnOpen:       joinBoth,
		CloseTimeout: 100 * time.Millisecond, // after Goexit nobody looks for the client's answer
		OnMessage: func(c *hub.Conn, m hub.Message) error {
			switch m.Text() {
			case "end":
				return end(c)
			case "never":
				t.Error("a message was handled after the end")
			}
			return reply(h, c, m)
		},
	})
	address := on.serve(t, h)
	for when, deliver := range deliveries {
		numbers := []int{96, 0, 1}
		c := deliver(t, address, texts(numbered(96), numbered(0), numbered(1), "end", "never"))
		if err := readNumbered(c, numbers); err != nil {
			t.Errorf("%s: %v", when, err)
			continue
		}
		m, err := c.Read()
		var got ws.CloseError
		if !errors.As(err, &got) || got != want {
			t.Errorf("%s: got %q, %v, want %v", when, m.Data, err, want)
		}
		_ = c.Conn().Close()
		awaitOver(t, h) // so that it gets no copy of the next one's replies
	}
}
