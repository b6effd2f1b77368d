//go:build linux

package load_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/bench/load"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// serve serves a hub at /x until the test ends.
func serve(t *testing.T, cfg hub.Config) netip.AddrPort {
	t.Helper()
	cfg.Rate, cfg.ControlRate = -1, -1
	h := hub.New(cfg)
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ReadTimeout: 5 * time.Second})
	app.Use("/x", wsx.New(wsx.Config{Hub: h}))
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(ln) }()
	t.Cleanup(func() {
		_ = h.Shutdown(context.Background())
		_ = app.ShutdownWithTimeout(5 * time.Second)
		<-served
	})
	return ln.Addr().(*net.TCPAddr).AddrPort()
}

// client connects n times.
func client(t *testing.T, addr netip.AddrPort, n int) *load.Client {
	t.Helper()
	c, err := load.New(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Connect("/x", n); err != nil {
		t.Fatal(err)
	}
	return c
}

// short is a load of a moment.
func short(size, flight int) load.Load {
	return load.Load{
		Size: size, Flight: flight, Warmup: 10 * time.Millisecond, Measure: 50 * time.Millisecond,
		Meter: func() time.Duration { return 0 },
	}
}

func echo(c *hub.Conn, m hub.Message) error { return c.Send(m) }

func TestEchoCountsWhatCameBack(t *testing.T) {
	c := client(t, serve(t, hub.Config{OnMessage: echo}), 3)
	for _, l := range []load.Load{short(8, 1), short(128, 32), short(4096, 32)} {
		r, err := c.Echo(l)
		for r.Messages == 0 && err == nil && l.Measure < 10*time.Second { // a busy machine may need more than a moment
			l.Measure *= 4
			r, err = c.Echo(l)
		}
		if err != nil || r.Messages == 0 {
			t.Errorf("%d bytes: %+v, %v", l.Size, r, err)
		}
	}
}

// TestStreamAckedCountsWhatIsStored: the client asks for acks, heeds its window, and counts what it was told of.
func TestStreamAckedCountsWhatIsStored(t *testing.T) {
	for _, cfg := range []hub.Config{{}, {MaxUnsettled: 3}, {MaxUnsettledBytes: 1000}} {
		var stored atomic.Int64
		cfg.Ack = hub.AckBatch
		cfg.OnBatch = func(_ context.Context, b *hub.Batch) error { stored.Add(int64(b.Len())); return nil }
		c, err := load.New(serve(t, cfg))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.ConnectAcked("/x", 3); err != nil {
			t.Fatal(err)
		}
		r, err := c.StreamAcked(short(128, 1))
		if err != nil || r.Messages == 0 || r.Messages > uint64(stored.Load()) {
			t.Errorf("%d were stored; %+v, %v", stored.Load(), r, err)
		}
	}
}

// TestStreamAckedNeedsAcks: a server that does not greet is an error.
func TestStreamAckedNeedsAcks(t *testing.T) {
	addr := serve(t, hub.Config{OnOpen: func(c *hub.Conn) error { return c.SendText("{}") }, OnMessage: echo})
	c, err := load.New(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.ConnectAcked("/x", 1); err == nil {
		t.Error("a server without acks passes")
	}
}

func TestBroadcastCountsEveryDelivery(t *testing.T) {
	addr := serve(t, hub.Config{
		OnOpen:    func(c *hub.Conn) error { return c.Join("all") },
		OnMessage: func(c *hub.Conn, m hub.Message) error { return c.To("all").Send(m) },
	})
	c := client(t, addr, 5)
	for _, flight := range []int{1, 10} {
		r, err := c.Broadcast(short(128, flight))
		if err != nil || r.Messages == 0 || r.Messages%uint64(5*flight) != 0 {
			t.Errorf("%d in flight: %+v, %v", flight, r, err)
		}
	}
}

func TestIngestEndsWhenTheServerHasReadIt(t *testing.T) {
	var handled atomic.Uint64
	addr := serve(t, hub.Config{OnMessage: func(*hub.Conn, hub.Message) error {
		handled.Add(1)
		return nil
	}})
	c := client(t, addr, 1)
	l := short(128, 1)
	l.Warmup = 0
	r, err := c.Stream(l)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Paced(l, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if sent := r.Messages + p.Messages; handled.Load() < sent {
		t.Errorf("%d messages were handled when %d were counted", handled.Load(), sent)
	}
}

// TestAWrongServerIsFound: what is lost, changed, doubled or cut is an error and no figure.
func TestAWrongServerIsFound(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(c *hub.Conn, m hub.Message) error
		want   string
	}{
		"another byte": {func(c *hub.Conn, m hub.Message) error { m.Data[100]++; return c.Send(m) }, "byte 100 of message 0"},
		"another one":  {func(c *hub.Conn, m hub.Message) error { m.Data[0]++; return c.Send(m) }, "got message 1, want 0"},
		"shorter":      {func(c *hub.Conn, m hub.Message) error { m.Data = m.Data[:9]; return c.Send(m) }, "with 9"},
		"doubled":      {func(c *hub.Conn, m hub.Message) error { _ = c.Send(m); return c.Send(m) }, "got message 0, want 1"},
		"as text": {func(c *hub.Conn, m hub.Message) error {
			return c.Send(hub.Message{Type: ws.Text, Data: make([]byte, 128)})
		}, "text that nobody asked for"},
		"too long": {func(c *hub.Conn, m hub.Message) error { m.Data = make([]byte, 2<<20); return c.Send(m) }, "a frame of over"},
		"closed":   {func(*hub.Conn, hub.Message) error { return ws.CloseError{Status: ws.StatusPolicyViolation} }, "closed the connection"},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, serve(t, hub.Config{OnMessage: tt.answer}), 1)
			if _, err := c.Echo(short(128, 1)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want something with %q", err, tt.want)
			}
		})
	}
}

// TestALostBroadcastIsFound: a delivery that one receiver does not get, or gets twice, is an error.
func TestALostBroadcastIsFound(t *testing.T) {
	for name, deliver := range map[string]func(c *hub.Conn, m hub.Message) error{
		"lost": func(c *hub.Conn, m hub.Message) error {
			if m.Data[0] == 3 { // the fourth does not reach the sender
				return c.To("all").Except(c).Send(m)
			}
			return c.To("all").Send(m)
		},
		"doubled": func(c *hub.Conn, m hub.Message) error {
			if m.Data[0] == 3 {
				_ = c.Send(m)
			}
			return c.To("all").Send(m)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, serve(t, hub.Config{OnOpen: func(c *hub.Conn) error { return c.Join("all") }, OnMessage: deliver}), 3)
			if _, err := c.Broadcast(short(128, 10)); err == nil || !strings.Contains(err.Error(), "want 3") && !strings.Contains(err.Error(), "want 4") {
				t.Errorf("got %v, want that message 3 or 4 is not in its place", err)
			}
		})
	}
}

func TestLatency(t *testing.T) {
	c := client(t, serve(t, hub.Config{OnMessage: echo}), 4)
	l := short(128, 1)
	l.Measure = 200 * time.Millisecond
	h, err := c.Latency(l, time.Millisecond)
	if err != nil || h.TotalCount() < 50 || h.ValueAtQuantile(50) <= 0 {
		t.Errorf("%d values, median %d µs, %v", h.TotalCount(), h.ValueAtQuantile(50), err)
	}
}

func TestFarewellAndHandshakes(t *testing.T) {
	addr := serve(t, hub.Config{OnMessage: echo})
	c := client(t, addr, 0)
	if err := c.Farewell("/x", 20, 128); err != nil {
		t.Error(err)
	}
	if r, err := c.Handshakes("/x", short(128, 1)); err != nil || r.Messages == 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := c.Connect("/nothing", 1); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a path without WebSocket: %v", err)
	}
}
