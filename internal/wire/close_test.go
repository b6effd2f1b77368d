package wire_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

func TestCloseFromAHandler(t *testing.T) {
	var err error
	r := dialed(t, limits(), &recorder{onMessage: func(c *wire.Conn, mt ws.MessageType, p []byte) {
		err = errors.Join(c.Send(mt, p), c.Close(ws.StatusPolicyViolation, "not you"))
		<-c.Done() // at once
	}})
	must(t, r.client.Raw(join(text("first"), text("never handled"))))
	want(t, "message", r.client.ReadText(), "first")
	want(t, "close frame", r.client.ReadClose(), ws.CloseError{Status: ws.StatusPolicyViolation, Reason: "not you"})
	r.ended(t)
	must(t, err)
	wantAll(t, "handled", r.handler.all(), []string{`text "first"`})
	want(t, "cause", r.Cause(), error(ws.CloseError{Status: ws.StatusPolicyViolation, Reason: "not you"}))
}

func TestCloseFromAnywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		errs := make(chan error, 20)
		for range cap(errs) {
			go func() { errs <- r.Close(ws.StatusGoingAway, "restart") }()
		}
		synctest.Wait()
		want(t, "state", r.State(), wire.StateClosing)
		firsts := 0
		for range cap(errs) {
			switch err := <-errs; {
			case err == nil:
				firsts++
			case !errors.Is(err, wire.ErrClosed):
				t.Errorf("got %v, want ErrClosed", err)
			}
		}
		want(t, "calls that closed", firsts, 1)
		want(t, "calls of Closing", r.handler.closings.Load(), 1)
		want(t, "close frame", r.client.ReadClose().Status, ws.StatusGoingAway)
		r.ended(t)
		want(t, "state", r.State(), wire.StateClosed)
		want(t, "calls of Closing", r.handler.closings.Load(), 1)
	})
}

func TestCloseRefusesAStatus(t *testing.T) {
	for _, status := range []ws.Status{0, 999, 1004, 1005, 1006, 1015, 2000, 5000} {
		t.Run(status.String(), func(t *testing.T) {
			r := piped(t, limits(), &recorder{})
			if err := r.Close(status, "secret"); !errors.Is(err, wire.ErrStatus) {
				t.Errorf("got %v, want ErrStatus", err)
			}
			want(t, "close frame", r.client.ReadClose(), ws.CloseError{Status: ws.StatusInternalError})
			r.ended(t)
			if err := r.Close(status, ""); !errors.Is(err, wire.ErrClosed) {
				t.Errorf("the second time: got %v, want ErrClosed", err)
			}
		})
	}
}

func TestCloseCutsTheReason(t *testing.T) {
	for _, row := range []struct{ name, reason, want string }{
		{"fits", strings.Repeat("a", 123), strings.Repeat("a", 123)},
		{"too long", strings.Repeat("a", 124), strings.Repeat("a", 123)},
		{"in a rune", strings.Repeat("é", 100), strings.Repeat("é", 61)},
		{"in an emoji", strings.Repeat("😀", 31), strings.Repeat("😀", 30)},
		{"not UTF-8", "a\xffb", "a\ufffdb"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := piped(t, limits(), &recorder{})
			must(t, r.Close(ws.StatusNormalClosure, row.reason))
			e := r.client.ReadClose()
			want(t, "reason", e.Reason, row.want)
			want(t, "is UTF-8", utf8.ValidString(e.Reason), true)
			r.ended(t)
		})
	}
}

func TestCloseTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		begun := time.Now()
		must(t, r.Close(ws.StatusGoingAway, ""))
		want(t, "Close returns after", time.Since(begun), 0)
		f, err := r.client.ReadFrame() // and never answers
		must(t, err)
		want(t, "opcode", f.Op, wire.OpClose)
		_, err = r.client.ReadFrame()
		want(t, "end", err, io.EOF)
		r.ended(t)
		want(t, "until the end", time.Since(begun), 5*time.Second)
		want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusGoingAway)
	})
}

func TestCloseWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		begun := time.Now()
		must(t, r.CloseWithin(100*time.Millisecond, ws.StatusHeartbeatTimeout, ""))
		r.ended(t)
		want(t, "until the end", time.Since(begun), 100*time.Millisecond)
	})
}

// TestEchoBehindData has 10 MiB come after the server's close frame and before the answer, against every limit.
func TestEchoBehindData(t *testing.T) {
	cfg := limits()
	cfg.ControlRate, cfg.MaxMessage, cfg.CloseTimeout = 5, 1000, 30*time.Second
	r := dialed(t, cfg, &recorder{})
	must(t, r.Close(ws.StatusGoingAway, "bye"))
	f, err := r.client.ReadFrame()
	must(t, err)
	want(t, "opcode", f.Op, wire.OpClose)
	chunk := join(blob(64<<10), ping("p"), pong("q"), first("a"), more("b"), last("\xff"))
	for range 160 {
		must(t, r.client.Raw(chunk))
	}
	begun := time.Now()
	must(t, r.client.Frame(true, wire.OpClose, f.Payload))
	_, err = r.client.ReadFrame()
	want(t, "end", err, io.EOF)
	r.ended(t)
	if waited := time.Since(begun); waited > 20*time.Second {
		t.Errorf("the answer was not found: the end took %v", waited)
	}
	wantAll(t, "handled", r.handler.all(), nil)
	want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusGoingAway)
}

// TestCloseInsideAFrame has the server close while a message is half there: the rest of it and the answer still count.
func TestCloseInsideAFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		message := text(strings.Repeat("é", 5000))
		must(t, r.client.Raw(message[:5001]))
		must(t, r.Close(ws.StatusGoingAway, ""))
		begun := time.Now()
		_, err := r.client.ReadFrame()
		must(t, err)
		must(t, r.client.Raw(message[5001:]))
		r.client.SendClose(ws.StatusGoingAway, "")
		r.ended(t)
		want(t, "until the end", time.Since(begun), 0)
		wantAll(t, "handled", r.handler.all(), nil)
	})
}

// TestCloseInsideAnOldMessage: a message that takes too long does not matter any more once the server closes.
func TestCloseInsideAnOldMessage(t *testing.T) {
	cfg := limits()
	cfg.MaxMessageAge, cfg.CloseTimeout = 1, 30*time.Second
	r := dialed(t, cfg, &recorder{})
	must(t, r.client.Raw(join(ping("p"), first("a"))))
	_, err := r.client.ReadFrame() // the pong: both were read
	must(t, err)
	must(t, r.Close(ws.StatusGoingAway, ""))
	begun := time.Now()
	want(t, "close frame", r.client.ReadClose().Status, ws.StatusGoingAway)
	r.ended(t)
	if waited := time.Since(begun); waited > 20*time.Second {
		t.Errorf("the answer was not found: the end took %v", waited)
	}
}

func TestSimultaneousClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		begun := time.Now()
		must(t, r.Send(ws.Text, []byte("queued")))
		must(t, r.Close(ws.StatusGoingAway, "mine"))
		r.client.SendClose(ws.StatusNormalClosure, "yours") // before anything was read
		synctest.Wait()
		got := hear(t, r.client)
		wantAll(t, "messages", got.messages, []string{`text "queued"`})
		want(t, "close frame", *got.close, ws.CloseError{Status: ws.StatusGoingAway, Reason: "mine"})
		r.ended(t)
		want(t, "until the end", time.Since(begun), 0)
		want(t, "cause", r.Cause(), error(ws.CloseError{Status: ws.StatusGoingAway, Reason: "mine"}))
	})
}

// TestClosesThatCross: the peer closes too while much is on its way to it, and its pongs go on, which RFC 6455, section
// 5.5.1, lets them. It gets everything, and the close frame.
func TestClosesThatCross(t *testing.T) {
	for name, on := range map[string]func(testing.TB, wire.Config, *recorder) *rig{"detached": dialed, "in place": inPlace} {
		t.Run(name, func(t *testing.T) {
			const messages = 12
			r := on(t, limits(), &recorder{})
			for range messages {
				must(t, r.Send(ws.Binary, pattern(64<<10)))
			}
			must(t, r.Close(ws.StatusGoingAway, "mine"))
			r.client.SendClose(ws.StatusNormalClosure, "yours")
			for range 1000 {
				must(t, r.client.Raw(pong("late")))
			}
			got := hear(t, r.client)
			want(t, "messages", len(got.messages), messages)
			want(t, "close frame", *got.close, ws.CloseError{Status: ws.StatusGoingAway, Reason: "mine"})
			must(t, r.client.Conn().Close())
			r.ended(t)
			want(t, "cause", r.Cause(), error(ws.CloseError{Status: ws.StatusGoingAway, Reason: "mine"}))
		})
	}
}

// TestPeerClosesOverAQueue: what was queued before the peer's close frame still goes out before the answer.
func TestPeerClosesOverAQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		for range 100 {
			must(t, r.Send(ws.Binary, pattern(5000)))
		}
		r.client.SendClose(ws.StatusNormalClosure, "enough")
		got := hear(t, r.client)
		want(t, "messages", len(got.messages), 100)
		want(t, "close frame", *got.close, ws.CloseError{Status: ws.StatusNormalClosure, Reason: "enough"})
		r.ended(t)
		want(t, "dropped", r.dropped.Load(), 0)
	})
}
