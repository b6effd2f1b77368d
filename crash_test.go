package wsx_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// secret is what a panic says, and nobody may hear.
const secret = "password=hunter2 " + marker

// callbacks are all that a hub has, with the status that a client sees when its own crashes.
var callbacks = map[string]ws.Status{
	"OnOpen": ws.StatusInternalError, "OnMessage": ws.StatusInternalError, "OnConn": ws.StatusInternalError,
	"OnError": ws.StatusInternalError, "OnPing": ws.StatusInternalError, "OnPong": ws.StatusInternalError,
	"OnJoin": ws.StatusInternalError, "OnLeave": ws.StatusInternalError,
	"OnClose": ws.StatusNormalClosure, // too late to tell anybody
	"OnBatch": ws.StatusNormalClosure, // comes again, and concerns no single connection
}

// crasher is a hub's configuration whose callback crashes, for the connections that ask for it.
type crasher struct {
	callback string
	crash    func()
	log      record
	crashed  atomic.Int32
	attempts atomic.Int32

	mu     sync.Mutex
	opened map[string]int // by connection
	closed map[string]int
}

func (k *crasher) hit(c *hub.Conn, callback string) {
	if callback == k.callback && c.Header("X-Crash") != "" {
		k.crashed.Add(1)
		k.crash()
	}
}

func (k *crasher) count(m map[string]int, c *hub.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	m[c.ID()]++
}

func (k *crasher) config() hub.Config {
	cfg := hub.Config{
		CloseTimeout: 100 * time.Millisecond, // after Goexit nobody looks for the client's answer

		Logger:  k.log.logger(),
		OnOpen:  func(c *hub.Conn) error { k.count(k.opened, c); k.hit(c, "OnOpen"); return nil },
		OnClose: func(c *hub.Conn, _ error) { k.count(k.closed, c); k.hit(c, "OnClose") },
		OnPing:  func(c *hub.Conn, _ []byte) { k.hit(c, "OnPing") },
		OnPong:  func(c *hub.Conn, _ []byte) { k.hit(c, "OnPong") },
		OnJoin:  func(c *hub.Conn, _ string) error { k.hit(c, "OnJoin"); return nil },
		OnLeave: func(c *hub.Conn, _ string) { k.hit(c, "OnLeave") },
		OnMessage: func(c *hub.Conn, m hub.Message) error {
			k.hit(c, "OnMessage")
			return handleText(c, m)
		},
	}
	switch k.callback {
	case "OnError":
		cfg.OnError = func(c *hub.Conn, _ error) { k.hit(c, "OnError") }
	case "OnConn":
		cfg.OnMessage = nil
		cfg.OnConn = func(c *hub.Conn) error {
			for m, err := range c.Messages() {
				if err != nil {
					return err
				}
				k.hit(c, "OnConn")
				if err := c.Send(m); err != nil {
					return err
				}
			}
			return nil
		}
	case "OnBatch":
		cfg.OnMessage = nil
		cfg.Batch = batch.Config{MaxItems: 1, Backoff: time.Millisecond}
		cfg.OnBatch = func(_ context.Context, b *hub.Batch) error {
			k.attempts.Store(int32(b.Attempt()))
			for _, it := range b.All() {
				if b.Attempt() < 3 {
					k.hit(it.Conn, "OnBatch")
				}
				_ = it.Conn.Send(it.Message)
			}
			return nil
		}
	}
	return cfg
}

func handleText(c *hub.Conn, m hub.Message) error {
	switch m.Text() {
	case "join":
		return c.Join("room")
	case "leave":
		c.Leave("room")
		return nil
	case "fail":
		return errors.New("an error")
	default:
		return c.Send(m)
	}
}

func TestACrashEndsItsConnectionAlone(t *testing.T) {
	for callback, want := range callbacks {
		for kind, crash := range map[string]func(){
			"panic": func() { panic(secret) }, "error": func() { panic(errors.New(secret)) }, "Goexit": runtime.Goexit,
		} {
			t.Run(callback+" "+kind, func(t *testing.T) {
				k := &crasher{callback: callback, crash: crash, opened: map[string]int{}, closed: map[string]int{}}
				testCrash(t, k, want)
			})
		}
	}
}

func testCrash(t *testing.T, k *crasher, want ws.Status) {
	addr, h := serveEcho(t, wsx.Config{Logger: k.log.logger()}, k.config())
	neighbour := wsxtest.Dial(t, "ws://"+addr+"/ws")
	said(t, neighbour, "before")
	resp, c := wsxtest.Exchange(t, addr, handshake("/ws", "+X-Crash: yes"))
	if resp.StatusCode != 101 {
		t.Fatalf("got %s", resp.Status)
	}
	frames := wsxtest.AppendFrame(nil, true, opPing, []byte("ping"))
	frames = wsxtest.AppendFrame(frames, true, opPong, []byte("pong"))
	for _, s := range []string{"join", "leave", "fail", "hello"} {
		frames = wsxtest.AppendFrame(frames, true, opText, []byte(s))
	}
	_ = c.Raw(frames)
	if want == ws.StatusNormalClosure {
		waitFor(t, c, "hello")
		_ = c.Frame(true, opClose, []byte{3, 232})
	}
	if e := c.ReadClose(); e.Status != want || e.Reason != "" {
		t.Errorf("the client was told %v, want %d", e, want)
	}
	eventually(t, "the connection is over", func() bool { return h.Len() == 1 && h.Stats().Closed == 1 })
	if k.crashed.Load() == 0 {
		t.Error("the callback was not called")
	}
	if k.callback == "OnBatch" && k.attempts.Load() != 3 {
		t.Errorf("the batch came %d times, want 3", k.attempts.Load())
	}
	said(t, neighbour, "after")
	again := wsxtest.Dial(t, "ws://"+addr+"/ws")
	said(t, again, "again")
	again.Close()
	neighbour.Close()
	eventually(t, "all are over", func() bool { return h.Stats().Closed == 3 })
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.opened) != 3 || fmt.Sprint(k.opened) != fmt.Sprint(k.closed) {
		t.Errorf("opened %v, closed %v", k.opened, k.closed)
	}
	if strings.Contains(k.log.String(), secret) || strings.Contains(k.log.String(), "hunter") {
		t.Errorf("the log holds what the panic said:\n%s", k.log.String())
	}
}

// said sends a message and wants it back.
func said(t *testing.T, c *wsxtest.Client, s string) {
	t.Helper()
	c.SendText(s)
	if got := c.ReadText(); got != s {
		t.Errorf("got %q, want %q", got, s)
	}
}

// waitFor reads on to a message.
func waitFor(t *testing.T, c *wsxtest.Client, s string) {
	t.Helper()
	for c.ReadText() != s {
	}
}
