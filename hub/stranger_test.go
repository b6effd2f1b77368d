package hub_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// unknown is a request of a client that has yet to say who it is.
func unknown() hub.Request { return hub.Request{AuthFirst: true, Authenticate: tokens} }

// heard is a hub that notes which callbacks it called.
func heard(t *testing.T, calls *list[string]) *hub.Hub {
	t.Helper()
	return newHub(t, hub.Config{
		OnOpen:    func(c *hub.Conn) error { calls.add("open " + c.Subject()); return c.SendText("welcome") },
		OnClose:   func(c *hub.Conn, _ error) { calls.add("close " + c.Subject()) },
		OnPing:    func(*hub.Conn, []byte) { calls.add("ping") },
		OnPong:    func(*hub.Conn, []byte) { calls.add("pong") },
		OnMessage: func(c *hub.Conn, m hub.Message) error { calls.add(m.Text()); return c.Send(m) },
	})
}

// TestNobodyVerifiesStrangers: a request that wants a token and has nothing to verify it lets nobody in.
func TestNobodyVerifiesStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls list[string]
		s := begin(t, heard(t, &calls), hub.Request{AuthFirst: true})
		ended := s.live()
		s.SendText(authMessage("ann/60s"))
		want(t, "status", <-ended, ws.StatusAuthFailed)
		s.gone()
		want(t, "calls", fmt.Sprint(calls.all()), "[]")
	})
}

func TestAFirstMessageOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls list[string]
		h := heard(t, &calls)
		s := begin(t, h, unknown())
		time.Sleep(4 * time.Second)
		must(t, s.Frame(true, wire.OpPing, nil))
		must(t, h.All().SendText("to all"))
		must(t, h.User("").SendText("to nobody"))
		want(t, "connections", h.Len(), 0)
		for range h.Conns() {
			t.Error("it can be found")
		}
		f, err := s.ReadFrame()
		must(t, err)
		want(t, "answer to the ping", f.Op, wire.OpPong)
		go func() { // in one write, so that the next message is there already
			b := wsxFrame(authMessage("ann/60s"))
			_ = s.Raw(append(b, wsxFrame(strings.Repeat("x", 5000))...))
		}()
		want(t, "answer", s.ReadText(), `{"type":"auth","ok":true,"expires_in_ms":60000}`)
		want(t, "what OnOpen sends", s.ReadText(), "welcome")
		want(t, "a longer message", len(s.ReadText()), 5000)
		must(t, h.User("ann").SendText("to ann"))
		want(t, "to the user", s.ReadText(), "to ann")
		want(t, "connections", h.Len(), 1)
		wantEnd(t, s.live(), ws.StatusTokenExpired, time.Now().Add(time.Minute))
		s.gone()
		want(t, "calls", fmt.Sprint(calls.all()[0], calls.all()[2:]), "open ann[close ann]")
		want(t, "strangers", h.Stats().Strangers, 0)
	})
}

// TestStrangers are closed with 4001 whatever they send instead of a token, and nobody hears of them.
func TestStrangers(t *testing.T) {
	for name, row := range map[string]struct {
		act    func(*session)
		status ws.Status
	}{
		"nothing":              {func(*session) {}, ws.StatusAuthFailed},
		"pings for ever":       {func(s *session) { go pingOn(s) }, ws.StatusAuthFailed},
		"a byte now and then":  {func(s *session) { go trickle(s) }, ws.StatusAuthFailed},
		"another message":      {func(s *session) { s.SendText(`{"type":"say"}`) }, ws.StatusAuthFailed},
		"a binary message":     {func(s *session) { s.Send(hub.Message{Type: ws.Binary, Data: []byte(authMessage("ann/60s"))}) }, ws.StatusAuthFailed},
		"a bad token":          {func(s *session) { s.SendText(authMessage(marker)) }, ws.StatusAuthFailed},
		"a token that is over": {func(s *session) { s.SendText(authMessage("ann/-1s")) }, ws.StatusAuthFailed},
		"a long message":       {func(s *session) { s.SendText(authMessage("ann/" + strings.Repeat("0", 4096) + "60s")) }, ws.StatusMessageTooBig},
		"a long one in parts": {func(s *session) {
			must(s.t, s.Frame(false, wire.OpText, make([]byte, 4000)))
			must(s.t, s.Frame(true, wire.OpContinuation, make([]byte, 97)))
		}, ws.StatusMessageTooBig},
		"a crash": {func(s *session) { s.SendText(authMessage("crash/60s")) }, ws.StatusInternalError},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls list[string]
				h := heard(t, &calls)
				began := time.Now()
				s := begin(t, h, unknown())
				ended := s.live()
				row.act(s)
				want(t, "status", <-ended, row.status)
				if took := time.Since(began); took > 5*time.Second+time.Second {
					t.Errorf("closed after %s", took)
				}
				s.gone()
				time.Sleep(2 * time.Second) // so that what act has started ends
				want(t, "calls", fmt.Sprint(calls.all()), "[]")
				want(t, "opened", h.Stats().Opened, 0)
				want(t, "closed", h.Stats().Closed, 0)
				want(t, "strangers", h.Stats().Strangers, 1)
				r, err := h.Reserve()
				must(t, err)
				r.Release()
			})
		})
	}
}

func pingOn(s *session) {
	for s.Frame(true, wire.OpPing, nil) == nil {
		time.Sleep(100 * time.Millisecond)
	}
}

func trickle(s *session) {
	for _, b := range wsxFrame(authMessage("ann/60s")) {
		if s.Raw([]byte{b}) != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// TestStrangersCount: the reservation counts, and a shutdown does not forget them.
func TestStrangersCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing, MaxConns: 1})
		s := begin(t, h, unknown())
		synctest.Wait()
		if _, err := h.Reserve(); err != hub.ErrFull {
			t.Errorf("got %v, want ErrFull", err)
		}
		ended := s.live()
		must(t, h.Shutdown(t.Context()))
		want(t, "status", <-ended, ws.StatusGoingAway)
	})
}

// TestStrangersOfEveryMode go on as any other connection does once they are known.
func TestStrangersOfEveryMode(t *testing.T) {
	var seen list[string]
	for name, cfg := range map[string]hub.Config{
		"OnConn": {OnConn: func(c *hub.Conn) error {
			for m := range c.Messages() {
				seen.add(c.Subject() + m.Text())
			}
			return nil
		}},
		"OnBatch": {OnBatch: func(_ context.Context, b *hub.Batch) error {
			for _, it := range b.All() {
				seen.add(it.Conn.Subject() + it.Message.Text())
			}
			return nil
		}},
		"acks": {Ack: hub.AckBatch, AckAlways: true, OnBatch: func(_ context.Context, b *hub.Batch) error {
			for _, it := range b.All() {
				seen.add(it.Conn.Subject() + it.Message.Text())
			}
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			seen = list[string]{}
			h := newHub(t, cfg)
			s := begin(t, h, unknown())
			s.SendText(authMessage("ann/60s"))
			got := s.ReadText()
			if cfg.Ack != hub.AckNone { // acks have a lane of their own, which is faster
				got += s.ReadText()
			}
			if !strings.Contains(got, `"type":"auth"`) || cfg.Ack != hub.AckNone && !strings.Contains(got, `"wsx":"hello","stream":"ann"`) {
				t.Errorf("got %s", got)
			}
			s.SendText("1")
			s.SendClose(ws.StatusNormalClosure, "")
			<-s.swallow()
			s.gone()
			must(t, h.Shutdown(t.Context()))
			want(t, "handled", fmt.Sprint(seen.all()), "[ann1]")
		})
	}
}

func wsxFrame(text string) []byte { return wsxtest.AppendFrame(nil, true, wire.OpText, []byte(text)) }
