package wsx_test

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// chaos is a server whose connections come and go in every way at once.
type chaos struct {
	t   *testing.T
	hub *hub.Hub

	mu   sync.Mutex
	kept []*hub.Conn // every handle there ever was

	outside chan func() // what other goroutines than the connection's do to it
	beats   chan int    // one for each client that comes
}

func newChaos(t *testing.T) *chaos {
	k := &chaos{t: t, outside: make(chan func()), beats: make(chan int)}
	k.hub = echoHub(hub.Config{
		Rate: -1, CloseTimeout: 100 * time.Millisecond, // after Goexit nobody looks for the client's answer
		OnOpen:    k.open,
		OnMessage: k.handle,
		OnClose:   k.close,
		OnError:   func(*hub.Conn, error) {},
	})
	return k
}

func (k *chaos) open(c *hub.Conn) error {
	k.mu.Lock()
	k.kept = append(k.kept, c)
	k.mu.Unlock()
	_ = c.SendText("id " + c.Subject())
	_ = c.Join("room")
	return nil
}

// close checks that no client seemed to break the protocol: none does, but for what a late write to a descriptor that
// is somebody else's would make of it.
func (k *chaos) close(c *hub.Conn, err error) {
	switch ws.StatusOf(err) {
	case ws.StatusProtocolError, ws.StatusUnsupportedData, ws.StatusInvalidPayload, ws.StatusMessageTooBig:
		k.t.Errorf("connection %s ended with %v", c.Subject(), err)
	}
}

// fates are what a client can ask for.
var fates = map[string]func(k *chaos, c *hub.Conn) error{
	"close":  func(_ *chaos, c *hub.Conn) error { return c.Close(ws.StatusNormalClosure, "") },
	"refuse": func(*chaos, *hub.Conn) error { return ws.CloseError{Status: ws.StatusPolicyViolation} },
	"panic":  func(*chaos, *hub.Conn) error { panic("no") },
	"goexit": func(*chaos, *hub.Conn) error { runtime.Goexit(); return nil },
	"outside": func(k *chaos, c *hub.Conn) error {
		k.outside <- func() { _ = c.Close(ws.StatusKicked, "") }
		return nil
	},
	"kick": func(k *chaos, c *hub.Conn) error {
		k.outside <- func() { _ = k.hub.User(c.Subject()).Close(ws.StatusKicked, "") }
		return nil
	},
	"kick here": func(k *chaos, c *hub.Conn) error { return k.hub.User(c.Subject()).Close(ws.StatusReplaced, "") },
	"leave":     func(_ *chaos, c *hub.Conn) error { c.Leave("room"); return c.SendText("id " + c.Subject()) },
	"flood": func(k *chaos, c *hub.Conn) error {
		for range 20 {
			_ = c.SendText("id " + c.Subject())
			_ = k.hub.To("room").SendText("to the room")
		}
		return nil
	},
}

func (k *chaos) handle(c *hub.Conn, m hub.Message) error {
	fate, id, _ := strings.Cut(m.Text(), " of ")
	if id != c.Subject() {
		k.t.Errorf("the message %q came to %s", m.Data, c.Subject())
	}
	return fates[fate](k, c)
}

// late uses handles of all ages.
func (k *chaos) late(beat int) {
	k.mu.Lock()
	n := len(k.kept)
	some := make([]*hub.Conn, 0, 24)
	for i := range min(n, 16) { // that have just ended, mostly
		some = append(some, k.kept[n-1-i*5%n])
	}
	for i := range min(n, 8) {
		some = append(some, k.kept[(beat*8+i)%n])
	}
	k.mu.Unlock()
	for _, c := range some {
		if err := k.use(c); err != nil {
			k.t.Error(err)
		}
	}
}

// use sends something to a connection of which nobody knows whether it is over; afterwards it has to say so.
func (k *chaos) use(c *hub.Conn) error {
	over := c.State() == hub.StateClosed
	for name, err := range map[string]error{
		"SendText": c.SendText("id " + c.Subject()), "Ping": c.Ping(nil),
	} {
		if over && !errors.Is(err, hub.ErrClosed) {
			return fmt.Errorf("%s on a connection that is over returned %v", name, err)
		}
	}
	if over && !errors.Is(c.Close(ws.StatusKicked, ""), hub.ErrClosed) {
		return errors.New("a connection that is over could be closed")
	}
	return nil
}

// run has goroutines do what comes from outside, until the channels are closed.
func (k *chaos) run(workers *sync.WaitGroup) {
	for range 2 {
		workers.Go(func() {
			for f := range k.outside {
				f()
			}
		})
		workers.Go(func() {
			for beat := range k.beats {
				k.late(beat)
				_ = k.hub.All().SendText("to all")
				_ = k.hub.To("room", "nobody's").SendText("to the room")
			}
		})
	}
}

// leavings are how a client ends, after it has asked for a fate or for none.
var leavings = []struct {
	ask string
	end func(c *wsxtest.Client)
}{
	{"close", nil}, {"refuse", nil}, {"panic", nil}, {"goexit", nil}, {"outside", nil}, {"kick", nil}, {"kick here", nil},
	{"flood", (*wsxtest.Client).Reset},
	{"", (*wsxtest.Client).Reset},
	{"leave", func(c *wsxtest.Client) { _ = c.Conn().Close() }},
	{"flood", func(c *wsxtest.Client) { _ = c.Frame(true, opClose, []byte{3, 232}) }},
	{"kick", (*wsxtest.Client).Reset},
	{"panic", (*wsxtest.Client).Reset},
	{"close", func(c *wsxtest.Client) { _ = c.Conn().Close() }},
	{"outside", func(c *wsxtest.Client) { _ = c.Conn().(halves).CloseWrite() }},
	{"", func(c *wsxtest.Client) { _ = c.Conn().(halves).CloseWrite() }},
}

// client is the life of one.
func (k *chaos) client(address string, n int) error {
	id := fmt.Sprint(n)
	o := wsxtest.Options{Header: http.Header{"Authorization": {"Bearer " + tokenFor(k.t, id)}}}
	c := dialed(k.t, address, o)
	if c == nil {
		return nil
	}
	defer c.Conn().Close()
	k.beats <- n
	l := leavings[n%len(leavings)]
	if m, err := c.Read(); err != nil || string(m.Data) != "id "+id {
		return fmt.Errorf("%s got %q, %w first", id, m.Data, err)
	}
	if l.ask != "" {
		_ = c.Frame(true, opText, []byte(l.ask+" of "+id))
	}
	if l.end != nil {
		l.end(c)
	}
	for {
		m, err := c.Read()
		switch text := string(m.Data); {
		case err != nil:
			return nil
		case text != "id "+id && text != "to all" && text != "to the room":
			return fmt.Errorf("%s got %q", id, text)
		}
	}
}

// TestEveryEndAtOnce has many connections come and go, in every way, while others write to all handles there ever were.
// Each client gets what is its own, nothing hangs, and nothing stays.
func TestEveryEndAtOnce(t *testing.T) { onEach(t, testEveryEnd) }

func testEveryEnd(t *testing.T, on transport) {
	hanging := time.AfterFunc(2*time.Minute, func() {
		debug.SetTraceback("all")
		panic("the connections hang")
	})
	defer hanging.Stop()
	k := newChaos(t)
	address := on.serve(t, k.hub, wsx.Config{Auth: jwt.HMAC(key)})
	var workers sync.WaitGroup
	k.run(&workers)
	var failed atomic.Bool
	life := func(n int) {
		if failed.Load() {
			return
		}
		if err := k.client(address, n); err != nil {
			failed.Store(true)
			t.Error(err)
		}
	}
	crowd(len(leavings), 4, life) // what is started once
	awaitOver(t, k.hub)
	before := takeBase()
	clients := most(5000, 1000)
	if on.detached {
		clients = most(5000, 2000) // here a descriptor can be somebody else's
	}
	crowd(clients, 64, life)
	awaitOver(t, k.hub)
	before.await(t)
	k.late(0)
	for _, c := range k.kept {
		if c.State() != hub.StateClosed {
			t.Fatalf("%s is %s", c.Subject(), c.State())
		}
		if err := k.use(c); err != nil {
			t.Fatal(err)
		}
	}
	close(k.beats)
	close(k.outside)
	workers.Wait()
}
