package hub_test

import (
	"cmp"
	"context"
	"io"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(watched{m}) }

// patience is how long a test waits for what has to happen.
const patience = 10 * time.Second

// newHub returns a hub that is shut down with the test. Unless cfg says otherwise it logs nothing and has no heartbeat,
// whose pings come at random.
func newHub(t *testing.T, cfg hub.Config) *hub.Hub {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = logged.logger(io.Discard)
	}
	cfg.PingInterval = cmp.Or(cfg.PingInterval, -1)
	seen := new(witness)
	h := hub.New(seen.watch(cfg))
	t.Cleanup(func() {
		_ = h.Shutdown(context.Background())
		seen.check(t, h)
	})
	return h
}

// session is a connection seen from outside.
type session struct {
	*wsxtest.Client
	t      *testing.T
	hub    *hub.Hub
	handle *hub.Conn     // known once the hub reads
	over   chan struct{} // closed when the goroutine of Serve has ended
	err    error         // of Serve, if that returned
}

// begin gives the hub one end of a pipe, and does not wait for anything.
func begin(t *testing.T, h *hub.Hub, request ...hub.Request) *session {
	t.Helper()
	client, server := wsxtest.Pipe(t)
	return start(t, h, client, server, request...)
}

// connect gives the hub one end of a pipe, and returns when the hub reads from it.
func connect(t *testing.T, h *hub.Hub, request ...hub.Request) *session {
	t.Helper()
	s := begin(t, h, request...)
	s.sync()
	s.find()
	return s
}

// connectAs is connect with a subject.
func connectAs(t *testing.T, h *hub.Hub, subject string) *session {
	t.Helper()
	return connect(t, h, asSubject(subject))
}

func asSubject(subject string) hub.Request {
	return hub.Request{Identity: auth.Identity{Subject: subject}}
}

// connectTCP is connect over a real socket.
func connectTCP(t *testing.T, h *hub.Hub) *session {
	t.Helper()
	return connectVia(t, h, func(c net.Conn) net.Conn { return c })
}

// connectVia is connectTCP with the server's end wrapped.
func connectVia(t *testing.T, h *hub.Hub, wrap func(net.Conn) net.Conn) *session {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	must(t, err)
	server, err := ln.Accept()
	must(t, err)
	s := start(t, h, wsxtest.NewClient(t, client), wrap(server))
	must(t, s.Frame(true, wire.OpPing, nil))
	if f, err := s.ReadFrame(); err != nil || f.Op != wire.OpPong {
		t.Fatalf("got frame %v, %v, want a pong", f, err)
	}
	s.find()
	return s
}

func start(t *testing.T, h *hub.Hub, client *wsxtest.Client, server net.Conn, request ...hub.Request) *session {
	s := &session{Client: client, t: t, hub: h, over: make(chan struct{})}
	var r hub.Request
	if len(request) > 0 {
		r = request[0]
	}
	r.Locals = maps.Clone(r.Locals)
	if r.Locals == nil {
		r.Locals = make(map[string]any)
	}
	r.Locals["session"] = s
	go func() {
		defer close(s.over)
		s.err = h.Serve(server, r)
	}()
	t.Cleanup(func() {
		_ = s.Conn().Close()
		<-s.over
	})
	return s
}

// sync returns when the hub waits for input: what was sent before is handled. A write of no bytes to a pipe does that.
func (s *session) sync() {
	s.t.Helper()
	_ = s.Conn().SetWriteDeadline(time.Now().Add(patience))
	if _, err := s.Conn().Write(nil); err != nil {
		s.t.Fatalf("the hub does not read: %v", err)
	}
	_ = s.Conn().SetWriteDeadline(time.Time{})
}

func (s *session) find() {
	s.t.Helper()
	for c := range s.hub.Conns() {
		if c.Local("session") == s {
			s.handle = c
			return
		}
	}
	s.t.Fatal("the hub does not know the connection")
}

// swallow reads all that comes and answers nothing. The channel is closed when the server hangs up.
func (s *session) swallow() <-chan struct{} {
	_ = s.Conn().SetReadDeadline(time.Time{})
	hungUp := make(chan struct{})
	go func() {
		defer close(hungUp)
		_, _ = io.Copy(io.Discard, s.Conn())
	}()
	return hungUp
}

// live reads and answers what a peer has to answer, until the server hangs up. Then the channel has the status of the
// close frame, 0 without one.
func (s *session) live() <-chan ws.Status {
	status := make(chan ws.Status, 1)
	go func() {
		for {
			_, err := s.Read()
			if isTimeout(err) {
				continue
			}
			if err != nil {
				status <- ws.StatusOf(err)
				return
			}
		}
	}()
	return status
}

// isTimeout reports whether a client has waited in vain, which in fake time is soon.
func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}

// gone waits until the connection is over.
func (s *session) gone() {
	s.t.Helper()
	await(s.t, s.over, "the end of the connection")
}

// wantClose reads on to the close frame.
func (s *session) wantClose(status ws.Status) {
	s.t.Helper()
	if e := s.ReadClose(); e.Status != status {
		s.t.Errorf("closed with %v, want %v", e, status)
	}
}

func await[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
	return v
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// nothing is an OnMessage.
func nothing(*hub.Conn, hub.Message) error { return nil }

func echo(c *hub.Conn, m hub.Message) error { return c.Send(m) }

// trimmed returns the text of a message that may have been padded.
func trimmed(m hub.Message) string { return strings.TrimSpace(m.Text()) }

func text(s string) hub.Message { return hub.Message{Type: ws.Text, Data: []byte(s)} }

// list collects values from several goroutines.
type list[T any] struct {
	mu sync.Mutex
	v  []T
}

func (l *list[T]) add(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.v = append(l.v, v)
}

func (l *list[T]) all() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]T(nil), l.v...)
}
