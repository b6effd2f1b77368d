package hub

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"testing"

	"github.com/fiberwsx/wsx/auth"
)

// peer is a connection and its client's end.
type peer struct {
	*Conn

	client net.Conn
}

// twoShards returns a hub of two shards, and what begins a connection in one of them and returns how to let it open.
func twoShards(t *testing.T) (h *Hub, begin func(shard int) (open func() peer)) {
	t.Helper()
	opening, open := make(chan *Conn), make(chan struct{})
	h = New(Config{
		PingInterval: -1,
		Logger:       slog.New(slog.NewTextHandler(io.Discard, nil)),
		OnOpen:       func(c *Conn) error { opening <- c; <-open; return nil },
		OnMessage:    func(*Conn, Message) error { return nil },
	})
	h.shards = []*shard{newShard(h), newShard(h)}
	t.Cleanup(func() { _ = h.Shutdown(context.Background()) })
	return h, func(shard int) func() peer {
		h.opened.Store(uint64(shard + len(h.shards) - 1)) // where the next one goes
		client, server := net.Pipe()
		t.Cleanup(func() { _ = client.Close() })
		go func() { _ = h.Serve(server, Request{Identity: auth.Identity{Subject: "ann"}}) }()
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

// TestWhoGetsAMessageIsFixed: somebody who joins when the first member has got a message does not get it, and somebody
// who leaves then does, though their shard's log had no room for it until then.
func TestWhoGetsAMessageIsFixed(t *testing.T) {
	for name, to := range map[string]func(h *Hub) Target{
		"a room":        func(h *Hub) Target { return h.To("room") },
		"several rooms": func(h *Hub) Target { return h.To("room", "other") },
		"where":         func(h *Hub) Target { return h.To("room").Where(func(*Conn) bool { return true }) },
	} {
		for does, change := range map[string]func(member, other *Conn) error{
			"joins":  func(_, other *Conn) error { return other.Join("room") },
			"leaves": func(member, _ *Conn) error { member.Leave("room"); return nil },
		} {
			t.Run(name+" "+does, func(t *testing.T) {
				h, begin := twoShards(t)
				first, member, other := begin(0)(), begin(1)(), begin(1)()
				if err := errors.Join(first.Join("room"), member.Join("room")); err != nil {
					t.Fatal(err)
				}
				whileNewsIsSent(t, h, to(h), first, func() {
					if err := change(member.Conn, other.Conn); err != nil {
						t.Error(err)
					}
				})
				if err := errors.Join(member.SendText("the end"), other.SendText("the end")); err != nil {
					t.Fatal(err)
				}
				want := [2]string{"news", "the end"}
				if got := [2]string{member.read(t), other.read(t)}; got != want {
					t.Errorf("member and other got %q, want %q", got, want)
				}
			})
		}
	}
}

// TestWhoOpensLaterGetsNothingFromBefore is the same for all connections, and for those of a subject.
func TestWhoOpensLaterGetsNothingFromBefore(t *testing.T) {
	for name, to := range map[string]func(h *Hub) Target{
		"all":       func(h *Hub) Target { return h.All() },
		"a subject": func(h *Hub) Target { return h.User("ann") },
	} {
		for when, come := range map[string]func(begin func(int) func() peer) (open func() peer){
			"comes later": func(begin func(int) func() peer) func() peer { return func() peer { return begin(1)() } },
			"opens later": func(begin func(int) func() peer) func() peer { return begin(1) },
		} {
			t.Run(name+" "+when, func(t *testing.T) {
				h, begin := twoShards(t)
				first, _ := begin(0)(), begin(1)()
				open := come(begin)
				var later peer
				whileNewsIsSent(t, h, to(h), first, func() { later = open() })
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

// whileNewsIsSent sends "news", of which only the first one has got something when change is called. It goes on when
// change has returned, or waits.
func whileNewsIsSent(t *testing.T, h *Hub, to Target, first peer, change func()) {
	t.Helper()
	s := h.shards[1]
	fill := func(n int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.waiting += n
		s.space.Broadcast()
	}
	fill(longestLog)
	sent := make(chan error, 1)
	go func() { sent <- to.SendText("news") }()
	if got := first.read(t); got != "news" {
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
	fill(-longestLog)
	<-changed
	if err := <-sent; err != nil {
		t.Error(err)
	}
}
