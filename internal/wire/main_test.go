package wire_test

import (
	"fmt"
	"hash/crc32"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limits are the ones that wsx has by default, less the control rate.
func limits() wire.Config {
	return wire.Config{
		MaxMessage:     64 << 10,
		MaxFragments:   1024,
		MaxMessageAge:  30 * time.Second,
		OutboxMessages: 256,
		OutboxBytes:    1 << 20,
		WriteDeadline:  10 * time.Second,
		CloseTimeout:   5 * time.Second,
		Dropped:        new(atomic.Uint64),
	}
}

// recorder writes down what a connection's handler is called for.
type recorder struct {
	conn      *wire.Conn
	onMessage func(*wire.Conn, ws.MessageType, []byte) // nil: nothing
	onPing    func()                                   // nil: nothing
	onClosing func()                                   // nil: nothing
	closings  atomic.Int32
	over      chan struct{} // closed by Ended

	mu   sync.Mutex
	seen []string
}

func (r *recorder) Message(t ws.MessageType, p []byte, _ bool) {
	r.note(describe(t.String(), p))
	if r.onMessage != nil {
		r.onMessage(r.conn, t, p)
	}
}

func (r *recorder) Ping(p []byte) {
	r.note(describe("ping", p))
	if r.onPing != nil {
		r.onPing()
	}
}

func (r *recorder) Pong(p []byte) { r.note(describe("pong", p)) }

func (r *recorder) Closing() {
	r.closings.Add(1)
	if r.onClosing != nil {
		r.onClosing()
	}
}

func (r *recorder) Pause() {}

func (r *recorder) Ended() { close(r.over) }

func (r *recorder) note(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, s)
}

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// describe names a payload, a long one by its length and checksum.
func describe(kind string, p []byte) string {
	if len(p) > 140 {
		return fmt.Sprintf("%s of %d bytes, %08x", kind, len(p), crc32.ChecksumIEEE(p))
	}
	return fmt.Sprintf("%s %q", kind, p)
}

// echo returns a recorder that sends each message back.
func echo() *recorder {
	return &recorder{onMessage: func(c *wire.Conn, t ws.MessageType, p []byte) { _ = c.Send(t, p) }}
}

// rig is the server's side of a connection that runs, with the client at its other end.
type rig struct {
	*wire.Conn
	client  *wsxtest.Client
	handler *recorder
	dropped *atomic.Uint64
	over    chan struct{} // closed when the connection has ended

	mu  sync.Mutex
	log uint64 // the position behind its last round
}

func start(t testing.TB, client *wsxtest.Client, server net.Conn, cfg wire.Config, h *recorder) *rig {
	t.Helper()
	return startOn(t, client, server, wire.NewEngine(cfg), h)
}

// startOn is start with an engine that others may have too.
func startOn(t testing.TB, client *wsxtest.Client, server net.Conn, e *wire.Engine, h *recorder) *rig {
	t.Helper()
	r := &rig{client: client, handler: h, dropped: e.Dropped, over: make(chan struct{})}
	r.Conn = wire.New(server, e, h)
	h.conn, h.over = r.Conn, r.over
	if r.Detached() {
		r.Go()
	} else {
		go r.Run()
	}
	t.Cleanup(func() {
		r.Abort()
		<-r.over
	})
	return r
}

// piped is a rig in memory.
func piped(t testing.TB, cfg wire.Config, h *recorder) *rig {
	t.Helper()
	client, server := wsxtest.Pipe(t)
	return start(t, client, server, cfg, h)
}

// round sends a message in a round of its own.
func (r *rig) round(t ws.MessageType, p []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	round := wire.NewRoundAlone(r.log)
	defer round.Release()
	round.Append(t, p, nil)
	r.log = round.End()
	_, _, err := r.SendRound(round)
	return err
}

// wrapped is a net.Conn that hides what it is.
type wrapped struct{ net.Conn }

func (w wrapped) CloseWrite() error { return w.Conn.(*net.TCPConn).CloseWrite() }

// inPlace is a rig on TCP that is driven in place.
func inPlace(t testing.TB, cfg wire.Config, h *recorder) *rig {
	t.Helper()
	client, server := tcpPair(t)
	r := start(t, client, wrapped{server}, cfg, h)
	want(t, "detached", r.Detached(), false)
	return r
}

// dialed is a rig on TCP, detached where that works.
func dialed(t testing.TB, cfg wire.Config, h *recorder) *rig {
	t.Helper()
	client, server := tcpPair(t)
	r := start(t, client, server, cfg, h)
	want(t, "detached", r.Detached(), runtime.GOOS == "linux")
	return r
}

func tcpPair(t testing.TB) (*wsxtest.Client, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return wsxtest.NewClient(t, client), server
}

// ended waits for the end of the connection.
func (r *rig) ended(t testing.TB) {
	t.Helper()
	select {
	case <-r.over:
	case <-time.After(time.Minute):
		t.Fatal("the connection has not ended after a minute")
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantAll(t testing.TB, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}
