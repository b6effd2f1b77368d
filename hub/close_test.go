package hub_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

func TestCloseTwice(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing})
	s := connect(t, h)
	must(t, s.handle.SendText("before"))
	must(t, s.handle.Close(ws.StatusKicked, "go"))
	if err := s.handle.Close(ws.StatusNormalClosure, ""); !errors.Is(err, hub.ErrClosed) {
		t.Errorf("second Close: got %v, want ErrClosed", err)
	}
	if err := s.handle.SendText("after"); !errors.Is(err, hub.ErrClosed) {
		t.Errorf("Send after Close: got %v, want ErrClosed", err)
	}
	want(t, "what was queued", s.ReadText(), "before")
	want(t, "close frame", s.ReadClose(), ws.CloseError{Status: ws.StatusKicked, Reason: "go"})
	s.gone()
	want(t, "status of Serve's error", ws.StatusOf(s.err), ws.StatusKicked)
}

func TestCloseWithAStatusThatMayNotBeSent(t *testing.T) {
	for _, status := range []ws.Status{0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000} {
		h := newHub(t, hub.Config{OnMessage: nothing})
		s := connect(t, h)
		if err := s.handle.Close(status, marker); !errors.Is(err, hub.ErrStatus) {
			t.Errorf("Close(%d): got %v, want ErrStatus", status, err)
		}
		want(t, "close frame", s.ReadClose(), ws.CloseError{Status: ws.StatusInternalError})
		s.gone()
	}
}

func TestCloseCutsTheReasonAtARune(t *testing.T) {
	for reason, cut := range map[string]string{
		strings.Repeat("x", 200):       strings.Repeat("x", 123),
		strings.Repeat("é", 100):       strings.Repeat("é", 61),
		"a" + strings.Repeat("é", 100): "a" + strings.Repeat("é", 61),
		strings.Repeat("𝛑", 40):        strings.Repeat("𝛑", 30),
	} {
		h := newHub(t, hub.Config{OnMessage: nothing})
		s := connect(t, h)
		must(t, s.handle.Close(ws.StatusNormalClosure, reason))
		want(t, "reason", s.ReadClose().Reason, cut)
	}
}

// TestCloseFromTheHandler checks that Close returns at once in a handler, and that what comes behind it is discarded.
func TestCloseFromTheHandler(t *testing.T) {
	handled, closed := 0, make(chan error, 1)
	h := newHub(t, hub.Config{OnMessage: func(c *hub.Conn, _ hub.Message) error {
		handled++
		closed <- c.Close(ws.StatusNormalClosure, "")
		return nil
	}})
	s := connect(t, h)
	for range 100 {
		s.SendText("x")
	}
	must(t, await(t, closed, "Close"))
	s.wantClose(ws.StatusNormalClosure)
	s.gone()
	want(t, "handled", handled, 1)
	want(t, "counted", h.Stats().MessagesIn, 1)
}

// TestCloseIsBounded checks that 5 s after Close it is over, whatever the peer does.
func TestCloseIsBounded(t *testing.T) {
	peers := map[string]func(s *session){
		"reads and never answers": func(s *session) { s.swallow() },
		"never reads":             func(*session) {},
		"sends without end": func(s *session) {
			s.swallow()
			stopped := make(chan struct{})
			s.t.Cleanup(func() { <-stopped })
			go func() {
				defer close(stopped)
				for s.Frame(true, wireText, []byte("more")) == nil {
					time.Sleep(10 * time.Millisecond)
				}
			}()
		},
	}
	for name, behave := range peers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t, hub.Config{OnMessage: nothing})
				s := connect(t, h)
				behave(s)
				start := time.Now()
				must(t, s.handle.Close(ws.StatusKicked, ""))
				want(t, "time that Close took", time.Since(start), 0)
				<-s.handle.Done()
				want(t, "time until Done", time.Since(start), 5*time.Second)
				<-s.over
				want(t, "status of Serve's error", ws.StatusOf(s.err), ws.StatusKicked)
			})
		})
	}
}

func TestCloseTimeoutIsConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing, CloseTimeout: time.Minute})
		s := connect(t, h)
		s.swallow()
		start := time.Now()
		must(t, s.handle.Close(ws.StatusNormalClosure, ""))
		<-s.handle.Done()
		want(t, "time until Done", time.Since(start), time.Minute)
	})
}

// TestDoneComesLast checks the order of the end: the socket gone, OnClose once, Done, Serve's return.
func TestDoneComesLast(t *testing.T) {
	entered, leave := make(chan hub.State), make(chan struct{})
	h := newHub(t, hub.Config{OnMessage: nothing, OnClose: func(c *hub.Conn, _ error) {
		entered <- c.State()
		<-leave
	}})
	s := connect(t, h)
	hungUp := s.swallow()
	must(t, s.Frame(true, wireClose, nil))
	want(t, "state in OnClose", await(t, entered, "OnClose"), hub.StateClosed)
	await(t, hungUp, "the end of the socket")
	for what, c := range map[string]<-chan struct{}{"Done": s.handle.Done(), "Serve": s.over} {
		select {
		case <-c:
			t.Errorf("%s did not wait for OnClose", what)
		default:
		}
	}
	close(leave)
	await(t, s.handle.Done(), "Done")
	s.gone()
}

// TestCloseOverTCP closes from another goroutine while the peer goes on sending: it must see the frame, not a reset.
func TestCloseOverTCP(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: nothing, Rate: -1})
	s := connectTCP(t, h)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		payload := make([]byte, 4<<10)
		for s.Frame(true, wireBinary, payload) == nil {
		}
	}()
	go func() { _ = s.handle.Close(ws.StatusKicked, "enough") }()
	for {
		f, err := s.ReadFrame()
		must(t, err)
		if f.Op == wireClose {
			want(t, "status and reason", string(f.Payload), "\x0f\xa3enough")
			break
		}
	}
	_ = s.Conn().Close()
	await(t, stopped, "the sender")
	s.gone()
}

func TestPeersClose(t *testing.T) {
	for _, e := range []ws.CloseError{
		{Status: ws.StatusNormalClosure, Reason: "bye"},
		{Status: ws.StatusGoingAway},
		{Status: 4999, Reason: "é"},
		{Status: ws.StatusNoStatusRcvd},
	} {
		var got list[error]
		h := newHub(t, hub.Config{OnMessage: nothing, OnClose: func(_ *hub.Conn, err error) { got.add(err) }})
		s := connect(t, h)
		go func() {
			if e.Status == ws.StatusNoStatusRcvd {
				_ = s.Frame(true, wireClose, nil)
			} else {
				s.SendClose(e.Status, e.Reason)
			}
		}()
		want(t, "echo", s.ReadClose(), e)
		s.gone()
		want(t, "calls of OnClose", len(got.all()), 1)
		var cause ws.CloseError
		if !errors.As(got.all()[0], &cause) || cause != e {
			t.Errorf("OnClose got %v, want %v", got.all()[0], e)
		}
		if context.Cause(s.handle.Context()) != got.all()[0] {
			t.Errorf("the context's cause is %v, OnClose got %v", context.Cause(s.handle.Context()), got.all()[0])
		}
	}
}
