package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// TestMessages echoes in a loop of its own until the peer closes.
func TestMessages(t *testing.T) {
	for _, status := range []ws.Status{ws.StatusNormalClosure, ws.StatusGoingAway, 0} {
		returned := make(chan error, 1)
		h := newHub(t, hub.Config{OnConn: func(c *hub.Conn) error {
			for m, err := range c.Messages() {
				if err != nil {
					returned <- err
					return err
				}
				if err := c.Send(m); err != nil {
					t.Errorf("echo: %v", err)
				}
			}
			returned <- nil
			return nil
		}})
		s := connect(t, h)
		for i := range 100 {
			v := fmt.Sprint(i)
			s.SendText(v)
			want(t, "echo", s.ReadText(), v)
		}
		s.SendClose(status, "")
		s.ReadClose()
		s.gone()
		if err := await(t, returned, "OnConn"); err != nil {
			t.Errorf("after a close with %d: %v", status, err)
		}
	}
}

// TestMessagesEndWithAnError when the connection did not end in order.
func TestMessagesEndWithAnError(t *testing.T) {
	for name, row := range map[string]struct {
		end   func(s *session)
		cause ws.Status
	}{
		"vanishes":       {func(s *session) { _ = s.Conn().Close() }, ws.StatusAbnormalClosure},
		"protocol error": {func(s *session) { go s.ReadClose(); _ = s.Raw([]byte{0xff, 0xff}) }, ws.StatusProtocolError},
		"own code":       {func(s *session) { go s.ReadClose(); s.SendClose(4321, "") }, 4321},
		"kicked":         {func(s *session) { go s.ReadClose(); _ = s.handle.Close(ws.StatusKicked, "") }, ws.StatusKicked},
	} {
		t.Run(name, func(t *testing.T) {
			var got, reported list[error]
			h := newHub(t, hub.Config{
				OnConn: func(c *hub.Conn) error {
					var last error
					for _, err := range c.Messages() {
						got.add(err)
						last = err
					}
					return last
				},
				OnError: func(_ *hub.Conn, err error) { reported.add(err) },
			})
			s := connect(t, h)
			row.end(s)
			s.gone()
			if len(got.all()) != 1 || !errors.Is(got.all()[0], hub.ErrClosed) || ws.StatusOf(got.all()[0]) != row.cause {
				t.Errorf("the sequence ended with %v, want one error with %d", got.all(), row.cause)
			}
			want(t, "reported", len(reported.all()), 0)
		})
	}
}

// TestReceive tells a deadline from an end, and goes on after the first.
func TestReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reason := errors.New("no time")
		done := make(chan struct{})
		h := newHub(t, hub.Config{OnConn: func(c *hub.Conn) error {
			defer close(done)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := c.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, hub.ErrClosed) {
				t.Errorf("timed out: %v", err)
			}
			stopped, stop := context.WithCancelCause(t.Context())
			stop(reason)
			if _, err := c.Receive(stopped); !errors.Is(err, reason) {
				t.Errorf("cancelled: %v", err)
			}
			for _, v := range []string{"one", "two"} {
				m, err := c.Receive(t.Context())
				if err != nil || m.Text() != v {
					t.Errorf("got %q, %v, want %q", m.Data, err, v)
				}
			}
			for range 2 {
				_, err := c.Receive(t.Context())
				if !errors.Is(err, hub.ErrClosed) || ws.StatusOf(err) != 4321 {
					t.Errorf("closed: %v", err)
				}
			}
			return nil
		}})
		s := connect(t, h)
		time.Sleep(2 * time.Second)
		s.SendText("one")
		s.SendText("two")
		go s.SendClose(4321, "")
		s.wantClose(4321)
		<-done
	})
}

// TestReturnCloses closes with what OnConn returns.
func TestReturnCloses(t *testing.T) {
	plain := errors.New("plain")
	for name, row := range map[string]struct {
		err      error
		told     ws.CloseError
		reported bool
	}{
		"nil":         {nil, ws.CloseError{Status: ws.StatusNormalClosure}, false},
		"close error": {fmt.Errorf("x: %w", ws.CloseError{Status: 4321, Reason: "r"}), ws.CloseError{Status: 4321, Reason: "r"}, false},
		"full room":   {hub.ErrRoomFull, ws.CloseError{Status: ws.StatusRoomFull, Reason: "room full"}, false},
		"other":       {plain, ws.CloseError{Status: ws.StatusInternalError}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var reported list[error]
			h := newHub(t, hub.Config{
				OnConn:  func(*hub.Conn) error { return row.err },
				OnError: func(_ *hub.Conn, err error) { reported.add(err) },
			})
			s := begin(t, h)
			want(t, "close frame", s.ReadClose(), row.told)
			s.gone()
			want(t, "reported", len(reported.all()) == 1, row.reported)
		})
	}
}

// TestReadAhead bounds what waits for a function that does not receive, by messages and by bytes.
func TestReadAhead(t *testing.T) {
	for _, row := range []struct{ size, ahead int }{{1, 16}, {8 << 10, 8}, {60 << 10, 1}} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			var got []int
			h := newHub(t, hub.Config{OnConn: func(c *hub.Conn) error {
				<-release
				for m, err := range c.Messages() {
					if err == nil {
						got = append(got, int(m.Data[0]))
					}
				}
				return nil
			}})
			s := connect(t, h)
			var sent atomic.Int64
			go func() {
				for i := range 100 {
					payload := make([]byte, row.size)
					payload[0] = byte(i)
					_ = s.Frame(true, wireBinary, payload)
					sent.Add(1)
				}
				_ = s.Frame(true, wireClose, nil)
			}()
			time.Sleep(time.Hour)
			if n := int(sent.Load()); n < row.ahead || n > row.ahead+2 { // one in hand, one in the read buffer
				t.Errorf("messages of %d bytes: %d were read ahead, want %d", row.size, n, row.ahead)
			}
			close(release)
			s.ReadClose()
			<-s.over
			want(t, "received in the end", len(got), 100)
			want(t, "in order", slices.IsSorted(got), true)
		})
	}
}

// TestControlFramesOfAWritingFunction checks that pings are answered while OnConn only writes.
func TestControlFramesOfAWritingFunction(t *testing.T) {
	h := newHub(t, hub.Config{OnConn: func(c *hub.Conn) error {
		<-c.Context().Done()
		return nil
	}})
	s := connect(t, h)
	s.SendText("never received")
	must(t, s.Frame(true, wirePing, []byte("there?")))
	f, err := s.ReadFrame()
	must(t, err)
	want(t, "opcode", f.Op, wirePong)
	want(t, "payload", string(f.Payload), "there?")
	go s.SendClose(ws.StatusNormalClosure, "")
	s.wantClose(ws.StatusNormalClosure)
	s.gone()
}

// TestReceiveAfterTheEnd gets what was read before the peer closed, then the end.
func TestReceiveAfterTheEnd(t *testing.T) {
	var got []string
	var end error
	h := newHub(t, hub.Config{OnConn: func(c *hub.Conn) error {
		<-c.Context().Done()
		for end == nil {
			var m hub.Message
			if m, end = c.Receive(context.Background()); end == nil {
				got = append(got, m.Text())
			}
		}
		return nil
	}})
	s := connect(t, h)
	for i := range 10 {
		s.SendText(fmt.Sprint(i))
	}
	go s.SendClose(ws.StatusNormalClosure, "")
	s.wantClose(ws.StatusNormalClosure)
	s.gone()
	want(t, "received", fmt.Sprint(got), "[0 1 2 3 4 5 6 7 8 9]")
	want(t, "status of the end", ws.StatusOf(end), ws.StatusNormalClosure)
}

// TestOnCloseWaitsForOnConn keeps the callbacks in order.
func TestOnCloseWaitsForOnConn(t *testing.T) {
	var events list[string]
	release := make(chan struct{})
	h := newHub(t, hub.Config{
		OnOpen: func(*hub.Conn) error { events.add("open"); return nil },
		OnConn: func(c *hub.Conn) error {
			events.add("conn")
			<-c.Context().Done()
			<-release
			events.add("returned")
			return nil
		},
		OnClose: func(*hub.Conn, error) { events.add("close") },
	})
	s := connect(t, h)
	s.sync()
	_ = s.Conn().Close()
	<-s.handle.Context().Done()
	close(release)
	s.gone()
	want(t, "events", fmt.Sprint(events.all()), "[open conn returned close]")
}
