package hub_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/hub"
)

// perBurst is how many messages are written at once: 32 KiB of them.
const perBurst = 240

// streaming writes as much as the hub takes, over four connections, and reads what it is told.
func streaming(b *testing.B, level hub.AckLevel) {
	var handled atomic.Int64
	h := hub.New(hub.Config{
		Ack: level, Logger: slog.New(slog.DiscardHandler), PingInterval: -1, OutboxMessages: -1,
		OnBatch: func(_ context.Context, batch *hub.Batch) error { handled.Add(int64(batch.Len())); return nil },
	})
	defer func() { _ = h.Shutdown(context.Background()) }()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	var clients []net.Conn
	for range 4 {
		client, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer client.Close()
		server, err := ln.Accept()
		if err != nil {
			b.Fatal(err)
		}
		r := hub.Request{}
		if level != hub.AckNone {
			r.Subprotocol = hub.AckProtocol
		}
		if err := h.Serve(server, r); err != nil {
			b.Fatal(err)
		}
		if level != hub.AckNone { // the hello
			if _, err := client.Read(make([]byte, 1024)); err != nil {
				b.Fatal(err)
			}
		}
		go func() { _, _ = io.Copy(io.Discard, client) }()
		clients = append(clients, client)
	}
	var burst []byte
	for range perBurst {
		burst = append(burst, message()...)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(burst)))
	sent := int64(0)
	for b.Loop() {
		if _, err := clients[sent/perBurst%4].Write(burst); err != nil {
			b.Fatal(err)
		}
		sent += perBurst
	}
	for deadline := time.Now().Add(10 * time.Second); handled.Load() < sent; {
		if time.Now().After(deadline) {
			b.Fatalf("%d of %d messages were handled", handled.Load(), sent)
		}
	}
}

func BenchmarkStreamWithoutAcks(b *testing.B) { streaming(b, hub.AckNone) }
func BenchmarkStreamWithAcks(b *testing.B)    { streaming(b, hub.AckBatch) }
