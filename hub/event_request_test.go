package hub_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// asked is a request that is under way.
type asked struct {
	reply int
	err   error
}

// ask sends a request from a goroutine, and returns when the client has it.
func ask(t *testing.T, ctx context.Context, s *session) <-chan asked {
	t.Helper()
	done := make(chan asked, 1)
	go func() {
		var a asked
		a.err = s.handle.Request(ctx, "count", map[string]string{"of": "x"}, &a.reply)
		done <- a
	}()
	return done
}

func TestRequestsAndReplies(t *testing.T) {
	for answer, check := range map[string]func(asked) bool{
		`{"type":"reply","id":1,"data":7}`: func(a asked) bool { return a.err == nil && a.reply == 7 },
		`{"type":"reply","id":1}`:          func(a asked) bool { return a.err == nil && a.reply == 0 },
		`{"type":"reply","id":1,"data":"seven"}`: func(a asked) bool {
			return a.err != nil && !errors.As(a.err, new(hub.EventError))
		},
		`{"type":"error","id":1,"code":"no","message":"never"}`: func(a asked) bool {
			return a.err == hub.EventError{Code: "no", Message: "never"}
		},
		`{"type":"error","id":1,"code":7}`: func(a asked) bool { return a.err == hub.EventError{} },
	} {
		h := newHub(t, hub.Config{})
		hub.On(h, "say", said)
		s := connect(t, h)
		done := ask(t, t.Context(), s)
		want(t, "request", s.ReadText(), `{"type":"count","id":1,"of":"x"}`)
		for _, nobodys := range []string{ // none of these hurts
			`{"type":"reply","id":2,"data":8}`, `{"type":"reply"}`, `{"type":"reply","id":"1","data":8}`, `{"type":"error","id":-1}`,
			`{"type":"error"}`, `{"type":"reply","id":1.0,"data":8}`,
		} {
			s.SendText(nobodys)
		}
		s.SendText(answer)
		s.SendText(answer) // once too often
		if a := await(t, done, "the reply"); !check(a) {
			t.Errorf("%s: got %d, %v", answer, a.reply, a.err)
		}
		want(t, "and on", s.exchange(`{"type":"say","text":"x"}`), `{"type":"said","room":"","text":"x"}`)
		want(t, "late replies", h.Stats().LateReplies, 7)
	}
}

// TestRequestEnds: who waits for a reply learns when there will be none.
func TestRequestEnds(t *testing.T) {
	gaveUp := errors.New("gave up")
	for name, row := range map[string]struct {
		end  func(s *session, cancel context.CancelCauseFunc)
		want error
	}{
		"timeout":      {func(*session, context.CancelCauseFunc) {}, context.DeadlineExceeded},
		"cancel":       {func(_ *session, cancel context.CancelCauseFunc) { cancel(gaveUp) }, gaveUp},
		"hang-up":      {func(s *session, _ context.CancelCauseFunc) { _ = s.Conn().Close() }, hub.ErrClosed},
		"server close": {func(s *session, _ context.CancelCauseFunc) { _ = s.handle.Close(ws.StatusKicked, "") }, hub.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t, hub.Config{})
				hub.On(h, "say", said)
				s := connect(t, h)
				limited, stop := context.WithTimeout(t.Context(), time.Minute)
				defer stop()
				ctx, cancel := context.WithCancelCause(limited)
				defer cancel(nil)
				done := ask(t, ctx, s)
				s.ReadText()
				hungUp := s.swallow()
				row.end(s, cancel)
				if a := <-done; !errors.Is(a.err, row.want) {
					t.Errorf("got %v, want %v", a.err, row.want)
				}
				_ = s.Conn().Close()
				<-hungUp
			})
		})
	}
}

// TestRequestsAreBounded: sixty-four wait at once; one that has given up makes room, and its reply is late.
func TestRequestsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{})
		hub.On(h, "say", said)
		s := connect(t, h)
		hungUp := s.swallow()
		short, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		waiting := make([]<-chan asked, 64)
		for i := range waiting {
			waiting[i] = ask(t, short, s)
		}
		synctest.Wait()
		if err := s.handle.Request(t.Context(), "x", nil, nil); !errors.Is(err, hub.ErrTooManyRequests) {
			t.Errorf("one more: %v", err)
		}
		for _, done := range waiting {
			if a := <-done; !errors.Is(a.err, context.DeadlineExceeded) {
				t.Errorf("got %v", a.err)
			}
		}
		s.SendText(`{"type":"reply","id":3,"data":1}`)
		s.sync()
		want(t, "late replies", h.Stats().LateReplies, 1)
		next := ask(t, t.Context(), s)
		synctest.Wait()
		s.SendText(`{"type":"reply","id":65,"data":9}`)
		want(t, "reply", (<-next).reply, 9)
		_ = s.Conn().Close()
		<-hungUp
	})
}

// TestRequestErrors: what cannot be asked is not sent, and holds no place.
func TestRequestErrors(t *testing.T) {
	plain := connect(t, newHub(t, hub.Config{OnMessage: nothing}))
	if err := plain.handle.Request(t.Context(), "x", nil, nil); !errors.Is(err, hub.ErrNoEvents) {
		t.Errorf("without events: %v", err)
	}
	h := newHub(t, hub.Config{})
	hub.On(h, "say", said)
	s := connect(t, h)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if err := s.handle.Request(over, "x", nil, nil); !errors.Is(err, context.Canceled) {
			t.Fatalf("too late: %v", err)
		}
		if err := s.handle.Request(t.Context(), "x", numbered{}, nil); !errors.Is(err, codec.ErrOwnType) {
			t.Fatalf("an id of its own: %v", err)
		}
		if err := s.handle.Request(t.Context(), "", nil, nil); !errors.Is(err, codec.ErrNoType) {
			t.Fatalf("no name: %v", err)
		}
	}
	want(t, "nothing was sent", s.exchange(`{"type":"say","text":"x"}`), `{"type":"said","room":"","text":"x"}`)
	must(t, s.handle.Close(ws.StatusNormalClosure, ""))
	if err := s.handle.Request(t.Context(), "x", nil, nil); !errors.Is(err, hub.ErrClosed) {
		t.Errorf("after the close: %v", err)
	}
}
