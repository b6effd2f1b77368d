package hub_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/wire"
)

// socket is a client that allocates nothing.
type socket struct {
	net.Conn
	out, in []byte
}

// message is a masked binary message of 128 bytes.
func message() []byte {
	b := wire.AppendHeader(nil, true, wire.OpBinary, 128, &[4]byte{1, 2, 3, 4})
	return append(b, make([]byte, 128)...)
}

// sockets connects n clients to a hub over TCP, on which others have registered events before.
func sockets(tb testing.TB, cfg hub.Config, n int, register ...func(*hub.Hub)) (*hub.Hub, []*socket) {
	tb.Helper()
	cfg.Logger, cfg.PingInterval, cfg.Rate = slog.New(slog.DiscardHandler), -1, -1
	h := hub.New(cfg)
	for _, f := range register {
		f(h)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	all := make([]*socket, n)
	for i := range all {
		client, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			tb.Fatal(err)
		}
		server, err := ln.Accept()
		if err != nil {
			tb.Fatal(err)
		}
		answer, err := h.Extensions("permessage-deflate")
		if err != nil {
			tb.Fatal(err)
		}
		r := hub.Request{Extensions: answer}
		if cfg.Ack != hub.AckNone {
			r.Subprotocol = hub.AckProtocol
		}
		if err := h.Serve(server, r); err != nil {
			tb.Fatal(err)
		}
		all[i] = &socket{Conn: client, out: message(), in: make([]byte, 4+128)}
	}
	tb.Cleanup(func() {
		for _, s := range all {
			_ = s.Close()
		}
		_ = ln.Close()
		_ = h.Shutdown(context.Background())
	})
	return h, all
}

func (s *socket) send(tb testing.TB) {
	if _, err := s.Write(s.out); err != nil {
		tb.Fatal(err)
	}
}

func (s *socket) receive(tb testing.TB) {
	if _, err := io.ReadFull(s.Conn, s.in); err != nil {
		tb.Fatal(err)
	}
}

// receiveFrame reads a short frame.
func (s *socket) receiveFrame(tb testing.TB) {
	head := s.in[:2]
	if _, err := io.ReadFull(s.Conn, head); err != nil {
		tb.Fatal(err)
	}
	if _, err := io.ReadFull(s.Conn, s.in[2:2+head[1]]); err != nil {
		tb.Fatal(err)
	}
}

// The hot paths, each with what it does for one message.

func echoing(tb testing.TB) func() {
	_, all := sockets(tb, hub.Config{OnMessage: func(c *hub.Conn, m hub.Message) error { return c.Send(m) }}, 1)
	return func() {
		all[0].send(tb)
		all[0].receive(tb)
	}
}

const receivers = 20

func broadcasting(tb testing.TB) func() {
	var h *hub.Hub
	h, all := sockets(tb, hub.Config{OnMessage: func(_ *hub.Conn, m hub.Message) error { return h.All().Send(m) }}, receivers)
	return func() {
		all[0].send(tb)
		for _, s := range all {
			s.receive(tb)
		}
	}
}

// conflating sends each message to the members of a room under a policy.
func conflating(tb testing.TB) func() {
	h, all := sockets(tb, hub.Config{
		OnOpen:    func(c *hub.Conn) error { return c.Join("room") },
		OnMessage: func(c *hub.Conn, m hub.Message) error { return c.To("room").With(hub.Conflate("position")).Send(m) },
	}, receivers)
	for h.Room("room").Len() < receivers {
		runtime.Gosched()
	}
	return func() {
		all[0].send(tb)
		for _, s := range all {
			s.receive(tb)
		}
	}
}

// broadcastingCompressed sends messages that come to a tenth of their length.
func broadcastingCompressed(context bool) func(testing.TB) func() {
	return func(tb testing.TB) func() {
		var h *hub.Hub
		h, all := sockets(tb, hub.Config{
			OnMessage:   func(_ *hub.Conn, m hub.Message) error { return h.All().Send(m) },
			Compression: hub.Compression{Enabled: true, Threshold: 64, ServerContextTakeover: context},
		}, receivers)
		return func() {
			all[0].send(tb)
			for _, s := range all {
				s.receiveFrame(tb)
			}
		}
	}
}

func ingesting(level hub.AckLevel) func(testing.TB) func() {
	return func(tb testing.TB) func() {
		var handled, sent atomic.Int64
		_, all := sockets(tb, hub.Config{Ack: level, OnBatch: func(_ context.Context, b *hub.Batch) error {
			handled.Add(int64(b.Len()))
			return nil
		}}, 1)
		go func() { _, _ = io.Copy(io.Discard, all[0]) }() // acks
		return func() {
			all[0].send(tb)
			if sent.Add(1)%500 == 0 { // a batch is full
				for handled.Load() < sent.Load() {
					runtime.Gosched()
				}
			}
		}
	}
}

func BenchmarkEcho(b *testing.B)                    { benchmark(b, echoing(b)) }
func BenchmarkBroadcastTo20(b *testing.B)           { benchmark(b, broadcasting(b)) }
func BenchmarkBroadcastTo20Compressed(b *testing.B) { benchmark(b, broadcastingCompressed(false)(b)) }
func BenchmarkBroadcastTo20Takeover(b *testing.B)   { benchmark(b, broadcastingCompressed(true)(b)) }
func BenchmarkIngest(b *testing.B)                  { benchmark(b, ingesting(hub.AckNone)(b)) }
func BenchmarkIngestWithAcks(b *testing.B)          { benchmark(b, ingesting(hub.AckBatch)(b)) }

func benchmark(b *testing.B, one func()) {
	b.ReportAllocs()
	b.SetBytes(128)
	for b.Loop() {
		one()
	}
}
