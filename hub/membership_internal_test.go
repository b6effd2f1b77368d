package hub

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/ws"
)

// peer is a connection and its client's end.
type peer struct {
	*Conn

	client net.Conn
}

// dialect is JSON by another name.
type dialect struct {
	codec.Codec

	broken *bool
}

func (d dialect) Subprotocol() string {
	if d.broken != nil && *d.broken {
		panic("broken")
	}
	return "dialect"
}

// threeShards returns a hub of three shards, and what begins a connection in one of them and returns how to let it
// open. In the last one they speak a dialect.
func threeShards(t *testing.T) (h *Hub, begin func(shard int) (open func() peer)) {
	t.Helper()
	opening, open := make(chan *Conn), make(chan struct{})
	h = New(Config{
		PingInterval: -1,
		Logger:       slog.New(slog.DiscardHandler),
		OnOpen:       func(c *Conn) error { opening <- c; <-open; return nil },
		OnMessage:    func(*Conn, Message) error { return nil },
		Codecs:       []codec.Codec{dialect{Codec: codec.JSON}},
	})
	h.shards = []*shard{newShard(h), newShard(h), newShard(h)}
	t.Cleanup(func() { _ = h.Shutdown(context.Background()) })
	return h, func(shard int) func() peer {
		h.opened.Store(uint64(shard + len(h.shards) - 1)) // where the next one goes
		client, server := net.Pipe()
		t.Cleanup(func() { _ = client.Close() })
		r := Request{Identity: auth.Identity{Subject: "ann"}}
		if shard == 2 {
			r.Subprotocol = "dialect"
		}
		go func() { _ = h.Serve(server, r) }()
		c := <-opening
		return func() peer {
			open <- struct{}{}
			for !c.opened.Load() {
				runtime.Gosched()
			}
			return peer{c, client}
		}
	}
}

// read returns the text of the next frame, which is short.
func (p peer) read(t *testing.T) string {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(p.client, head); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, head[1])
	if _, err := io.ReadFull(p.client, text); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestWhoCountsIsThere: a connection that is not one of all yet, so that who closes all would miss it, has not opened.
func TestWhoCountsIsThere(t *testing.T) {
	h, _ := threeShards(t)
	client, server := net.Pipe()
	defer func() { _ = client.Close() }()
	h.sending.Lock() // nobody joins
	go func() { _ = h.Serve(server, Request{Refusal: &ws.CloseError{Status: ws.StatusGoingAway}}) }()
	for h.Len() == 0 {
		runtime.Gosched()
	}
	if n := h.Stats().Opened; n != 0 {
		t.Errorf("%d count as open", n)
	}
	h.sending.Unlock()
	for h.Stats().Opened == 0 {
		runtime.Gosched()
	}
}

// TestWhoGetsAMessageIsFixed: somebody who joins when the first member has got a message does not get it, and somebody
// who leaves then does, though it has come no further than the shards before theirs.
func TestWhoGetsAMessageIsFixed(t *testing.T) {
	for name, send := range map[string]func(h *Hub) error{
		"a room":        func(h *Hub) error { return h.To("room").SendText(news) },
		"several rooms": func(h *Hub) error { return h.To("room", "other").SendText(news) },
		"where":         func(h *Hub) error { return h.To("room").Where(func(*Conn) bool { return true }).SendText(news) },
		"an event":      func(h *Hub) error { return h.To("room").Emit("news", nil) },
	} {
		for does, change := range map[string]func(member, other *Conn) error{
			"joins":  func(_, other *Conn) error { return other.Join("room") },
			"leaves": func(member, _ *Conn) error { member.Leave("room"); return nil },
		} {
			t.Run(name+" "+does, func(t *testing.T) {
				h, begin := threeShards(t)
				first, second, member, other := begin(0)(), begin(1)(), begin(2)(), begin(2)()
				if err := errors.Join(first.Join("room"), second.Join("room"), member.Join("room")); err != nil {
					t.Fatal(err)
				}
				whileNewsIsSent(t, h, send, first, func() {
					if err := change(member.Conn, other.Conn); err != nil {
						t.Error(err)
					}
				})
				if err := errors.Join(member.SendText("the end"), other.SendText("the end")); err != nil {
					t.Fatal(err)
				}
				want := [2]string{news, "the end"}
				if got := [2]string{member.read(t), other.read(t)}; got != want {
					t.Errorf("member and other got %q, want %q", got, want)
				}
			})
		}
	}
}

// TestWhoOpensLaterGetsNothingFromBefore is the same for all connections, and for those of a subject.
func TestWhoOpensLaterGetsNothingFromBefore(t *testing.T) {
	for name, send := range map[string]func(h *Hub) error{
		"all":       func(h *Hub) error { return h.All().SendText(news) },
		"a subject": func(h *Hub) error { return h.User("ann").SendText(news) },
	} {
		for when, come := range map[string]func(begin func(int) func() peer) (open func() peer){
			"comes later": func(begin func(int) func() peer) func() peer { return func() peer { return begin(2)() } },
			"opens later": func(begin func(int) func() peer) func() peer { return begin(2) },
		} {
			t.Run(name+" "+when, func(t *testing.T) {
				h, begin := threeShards(t)
				first, _, _ := begin(0)(), begin(1)(), begin(2)()
				open := come(begin)
				var later peer
				whileNewsIsSent(t, h, send, first, func() { later = open() })
				if err := later.SendText("the end"); err != nil {
					t.Fatal(err)
				}
				if got := later.read(t); got != "the end" {
					t.Errorf("got %q", got)
				}
			})
		}
	}
}

// news is what an event of that name is in JSON.
const news = `{"type":"news"}`

// whileNewsIsSent sends news, which only the first shard has when change is called. It goes on when change has
// returned, or waits.
func whileNewsIsSent(t *testing.T, h *Hub, send func(*Hub) error, first peer, change func()) {
	t.Helper()
	h.shards[1].mu.Lock()
	sent := make(chan error, 1)
	go func() { sent <- send(h) }()
	if got := first.read(t); got != news {
		t.Errorf("the first one got %q", got)
	}
	changed := make(chan struct{})
	go func() {
		defer close(changed)
		change()
	}()
	for waits := false; !waits; runtime.Gosched() {
		select {
		case <-changed:
			waits = true
		default:
			if waits = !h.sending.TryRLock(); !waits {
				h.sending.RUnlock()
			}
		}
	}
	h.shards[1].mu.Unlock()
	<-changed
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

// TestAFullLogHoldsNobodyElse: while a message waits for room in a log, others become members, and leave.
func TestAFullLogHoldsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, begin := threeShards(t)
		first, second := begin(0)(), begin(1)()
		if err := errors.Join(first.Join("room"), second.Join("room")); err != nil {
			t.Fatal(err)
		}
		h.shards[1].waiting.Add(longestLog)
		sent := make(chan error, 1)
		go func() { sent <- h.To("room").SendText(news) }()
		synctest.Wait()
		if !h.sending.TryLock() {
			t.Fatal("nobody can join or leave")
		}
		h.sending.Unlock()
		select {
		case <-sent:
			t.Error("it did not wait")
		default:
		}
		h.shards[1].free(longestLog)
		for _, c := range []peer{first, second} {
			if got := c.read(t); got != news {
				t.Errorf("got %q", got)
			}
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		for i, s := range h.shards {
			if n := s.waiting.Load(); n != 0 {
				t.Errorf("%d bytes are reserved in log %d for nothing", n, i)
			}
		}
	})
}

// TestWhoIsLeftOutGetsWhatCameBefore at once, though nobody delivers it otherwise.
func TestWhoIsLeftOutGetsWhatCameBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, begin := threeShards(t)
		one, other := begin(0)(), begin(0)()
		if err := errors.Join(one.Join("room"), other.Join("room")); err != nil {
			t.Fatal(err)
		}
		s := h.shards[0]
		s.mu.Lock()
		s.flushing = true // by nobody
		s.mu.Unlock()
		if err := errors.Join(h.To("room").SendText("before"), h.To("room").Except(one.Conn).SendText(news)); err != nil {
			t.Fatal(err)
		}
		_ = one.client.SetReadDeadline(time.Now().Add(time.Minute))
		if got := one.read(t); got != "before" {
			t.Errorf("got %q", got)
		}
		s.flusher.Add(1)
		go s.run()
		for _, want := range []string{"before", news} {
			if got := other.read(t); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

// TestTwoLeaveAtOnce: what waited in the log arrives, whoever of them was quicker.
func TestTwoLeaveAtOnce(t *testing.T) {
	h, begin := threeShards(t)
	c := begin(0)()
	if err := errors.Join(c.Join("room"), c.Join("other")); err != nil {
		t.Fatal(err)
	}
	s := h.shards[0]
	s.mu.Lock()
	s.flushing = true // by nobody
	s.mu.Unlock()
	if err := h.To("other").SendText(news); err != nil {
		t.Fatal(err)
	}
	h.sending.Lock()
	left := make(chan bool)
	go func() { left <- c.Leave("room") }()
	for n := 0; n == 0; n, _ = c.wire.Buffered() { // until it has what waits
		runtime.Gosched()
	}
	s.mu.Lock()
	s.members.Leave(c.scopes[len(c.scopes)-2], c.Conn)
	c.scopes = slices.Delete(c.scopes, len(c.scopes)-2, len(c.scopes)-1)
	s.mu.Unlock()
	h.sending.Unlock()
	_ = c.client.SetReadDeadline(time.Now().Add(10 * time.Second))
	if got := c.read(t); got != news {
		t.Errorf("got %q", got)
	}
	if <-left {
		t.Error("it has left twice")
	}
	s.flusher.Add(1)
	s.run()
}

// TestAPanicHoldsNothing: a codec that panics takes no room in a log, and no lock, with it.
func TestAPanicHoldsNothing(t *testing.T) {
	h, begin := threeShards(t)
	broken := false
	h.cfg.Codecs = []codec.Codec{dialect{codec.JSON, &broken}}
	for i := range h.shards {
		if err := begin(i)().Join("room"); err != nil {
			t.Fatal(err)
		}
	}
	broken = true
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the codec was not asked")
			}
		}()
		_ = h.To("room").Emit("news", nil)
	}()
	if !h.sending.TryLock() {
		t.Fatal("a lock is held")
	}
	h.sending.Unlock()
	for i, s := range h.shards {
		if n := s.waiting.Load(); n != 0 {
			t.Errorf("%d bytes are reserved in log %d", n, i)
		}
	}
	broken = false
}
