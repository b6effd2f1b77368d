package wire_test

import (
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

func TestPeerHangsUp(t *testing.T) {
	for _, row := range []struct {
		name string
		sent []byte
		end  func(*wsxtest.Client)
	}{
		{"idle", nil, func(c *wsxtest.Client) { _ = c.Conn().Close() }},
		{"inside a header", text("x")[:3], func(c *wsxtest.Client) { _ = c.Conn().Close() }},
		{"inside a frame", text("xyz")[:7], func(c *wsxtest.Client) { _ = c.Conn().Close() }},
		{"inside a message", first("x"), func(c *wsxtest.Client) { _ = c.Conn().Close() }},
		{"half closed", nil, func(c *wsxtest.Client) { _ = c.Conn().(*net.TCPConn).CloseWrite() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := dialed(t, limits(), &recorder{})
			must(t, r.client.Raw(row.sent))
			row.end(r.client)
			r.ended(t)
			want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusAbnormalClosure)
			if !errors.Is(r.Cause(), io.EOF) {
				t.Errorf("%v has no io.EOF in its tree", r.Cause())
			}
			want(t, "Send", r.Send(ws.Text, nil), wire.ErrClosed)
			want(t, "calls of Closing", r.handler.closings.Load(), 1)
		})
	}
}

func TestPeerResets(t *testing.T) {
	r := dialed(t, limits(), &recorder{})
	r.client.Reset()
	r.ended(t)
	want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusAbnormalClosure)
	var op *net.OpError
	if !errors.As(r.Cause(), &op) {
		t.Errorf("%v does not say what the socket did", r.Cause())
	}
}

// TestMessagesBeforeTheHangUp: what came before the end is handled.
func TestMessagesBeforeTheHangUp(t *testing.T) {
	for range 50 {
		r := dialed(t, limits(), &recorder{})
		must(t, r.client.Raw(join(text("a"), blob(20_000), text("b"))))
		_ = r.client.Conn().Close()
		r.ended(t)
		wantAll(t, "handled", r.handler.all(), []string{`text "a"`, describe("binary", pattern(20_000)), `text "b"`})
	}
}

// TestEndBehindAMessage has the end of the stream come while a handler is at work, together with one more message: Go's
// poller tells of both at once, and not again.
func TestEndBehindAMessage(t *testing.T) {
	for name, run := range map[string]func(*wire.Conn){
		"Go":  (*wire.Conn).Go,
		"Run": func(c *wire.Conn) { go c.Run() },
	} {
		t.Run(name, func(t *testing.T) {
			client, server := tcpPair(t)
			entered, release := make(chan struct{}), make(chan struct{})
			h := &recorder{over: make(chan struct{}), onMessage: func(c *wire.Conn, _ ws.MessageType, p []byte) {
				if string(p) == "wait" {
					close(entered)
					<-release
				}
				_ = c.Send(ws.Text, p)
			}}
			r := &rig{Conn: wire.New(server, wire.NewEngine(limits()), h), client: client, handler: h, over: h.over}
			h.conn = r.Conn
			run(r.Conn)
			for range 3 { // a busy one
				client.SendText("busy")
				want(t, "echo", client.ReadText(), "busy")
			}
			client.SendText("wait")
			<-entered
			client.SendText("last")
			must(t, client.Conn().(*net.TCPConn).CloseWrite())
			close(release)
			r.ended(t)
			want(t, "handled at last", h.all()[4], `text "last"`)
		})
	}
}

// TestWhatWasTakenIsNotDropped ends a connection in the middle of a write of ten messages.
func TestWhatWasTakenIsNotDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		for range 11 {
			must(t, r.Send(ws.Text, []byte("8 bytes.")))
		}
		_, err := io.ReadFull(r.client.Conn(), make([]byte, 10+45)) // the first is written by itself
		must(t, err)
		synctest.Wait()
		r.Abort()
		r.ended(t)
		want(t, "dropped", r.dropped.Load(), 6)
	})
}

func TestAbort(t *testing.T) {
	for name, connect := range map[string]func(testing.TB, wire.Config, *recorder) *rig{"pipe": piped, "detached": dialed, "in place": inPlace} {
		t.Run(name, func(t *testing.T) {
			r := connect(t, limits(), &recorder{})
			var aborting sync.WaitGroup
			for range 5 {
				aborting.Go(r.Abort)
			}
			aborting.Wait()
			r.ended(t)
			want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusAbnormalClosure)
			want(t, "state", r.State(), wire.StateClosed)
			want(t, "Send", r.Send(ws.Text, nil), wire.ErrClosed)
			want(t, "calls of Closing", r.handler.closings.Load(), 1)
			r.Abort() // harmless
		})
	}
}

// TestAbortWaitsForTheHandler: Run ends only after the handler that runs.
func TestAbortWaitsForTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leave := make(chan struct{})
		r := piped(t, limits(), &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) { <-leave }})
		r.client.SendText("x")
		synctest.Wait()
		r.Abort()
		synctest.Wait()
		select {
		case <-r.over:
			t.Error("Run has returned under a handler")
		default:
		}
		close(leave)
		r.ended(t)
	})
}

func TestGoexitEndsTheConnection(t *testing.T) {
	for name, connect := range map[string]func(testing.TB, wire.Config, *recorder) *rig{"pipe": piped, "detached": dialed, "in place": inPlace} {
		for _, frames := range [][]byte{text("x"), join(text("x"), text("y")), join(first("x"), last("y"))} {
			t.Run(name, func(t *testing.T) {
				r := connect(t, limits(), &recorder{onMessage: func(c *wire.Conn, _ ws.MessageType, _ []byte) {
					_ = c.Send(ws.Text, []byte("queued"))
					runtime.Goexit()
				}})
				must(t, r.client.Raw(frames))
				got := hear(t, r.client)
				_ = r.client.Conn().Close()
				r.ended(t)
				want(t, "handled", len(r.handler.all()), 1)
				wantAll(t, "messages", got.messages, []string{`text "queued"`})
				if got.close == nil {
					t.Fatal("no close frame came")
				}
				want(t, "close frame", got.close.Status, ws.StatusInternalError)
				want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusInternalError)
				want(t, "state", r.State(), wire.StateClosed)
				want(t, "calls of Closing", r.handler.closings.Load(), 1)
			})
		}
	}
}

func TestGoexitAfterClose(t *testing.T) {
	r := dialed(t, limits(), &recorder{onMessage: func(c *wire.Conn, _ ws.MessageType, _ []byte) {
		_ = c.Close(ws.StatusKicked, "out")
		runtime.Goexit()
	}})
	r.client.SendText("x")
	want(t, "close frame", r.client.ReadClose(), ws.CloseError{Status: ws.StatusKicked, Reason: "out"})
	_ = r.client.Conn().Close()
	r.ended(t)
	want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusKicked)
}

func TestLastSeenAndListening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		born := time.Now()
		leave := make(chan struct{})
		r := piped(t, limits(), &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) { <-leave }})
		synctest.Wait()
		want(t, "LastSeen before a byte", r.LastSeen(), born)
		_, listening := r.Listening()
		want(t, "listening", listening, true)

		time.Sleep(time.Minute)
		r.client.SendText("x")
		synctest.Wait()
		want(t, "LastSeen", r.LastSeen(), born.Add(time.Minute))
		_, listening = r.Listening()
		want(t, "listening while the handler runs", listening, false)

		time.Sleep(time.Minute)
		close(leave)
		synctest.Wait()
		since, listening := r.Listening()
		want(t, "listening again", listening, true)
		want(t, "since", since, born.Add(2*time.Minute))
		want(t, "LastSeen still", r.LastSeen(), born.Add(time.Minute))
	})
}
