package wire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

func TestOrder(t *testing.T) {
	t.Run("tcp", func(t *testing.T) { testOrder(t, dialed(t, limits(), &recorder{})) })
	t.Run("pipe", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { testOrder(t, piped(t, limits(), &recorder{})) })
	})
}

func testOrder(t *testing.T, r *rig) {
	const count = 600
	var sending sync.WaitGroup
	sending.Go(func() {
		sendMix(t, r.Conn, count)
		want(t, "Close", r.Close(ws.StatusGoingAway, "done"), nil)
	})
	pings := 0
	for n := 0; n < count; {
		f, err := r.client.ReadFrame()
		must(t, err)
		if f.Op == wire.OpPing {
			want(t, "ping", string(f.Payload), strconv.Itoa(pings))
			pings += 10
			continue
		}
		got, _, _ := strings.Cut(string(f.Payload), " ")
		want(t, "message", got, strconv.Itoa(n))
		n++
	}
	want(t, "last frame", r.client.ReadClose(), ws.CloseError{Status: ws.StatusGoingAway, Reason: "done"})
	sending.Wait()
	r.ended(t)
	want(t, "pings before the close", pings, count)
	want(t, "dropped", r.dropped.Load(), 0)
}

// sendMix sends n numbers in every way there is, short and long, and pings with each tenth.
func sendMix(t testing.TB, c *wire.Conn, n int) {
	for i := range n {
		p := []byte(strconv.Itoa(i) + " " + strings.Repeat("x", i%7*i%2500))
		var err error
		switch i % 3 {
		case 0:
			err = c.Send(ws.Text, p)
		case 1:
			err = c.SendFrame(wire.NewFrame(ws.Text, p))
		default:
			err = trySend(c, wire.NewFrame(ws.Text, p))
		}
		if err == nil && i%10 == 0 {
			err = c.Ping([]byte(strconv.Itoa(i)))
		}
		if err != nil {
			t.Errorf("sending %d: %v", i, err)
		}
	}
}

// trySend tries until there is room.
func trySend(c *wire.Conn, f wire.Frame) error {
	for {
		if ok, err := c.TrySendFrame(f); ok || err != nil {
			return err
		}
		if err := c.AwaitRoom(); err != nil {
			return err
		}
	}
}

func TestSendKeepsNothingOfTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		for _, n := range []int{10, 2000, 20000} {
			p := bytes.Repeat([]byte{'a'}, n)
			f := wire.NewFrame(ws.Binary, p)
			must(t, r.Send(ws.Binary, p))
			must(t, r.SendFrame(f))
			must(t, r.Ping(p[:5]))
			clear(p)
		}
		for range 9 {
			f, err := r.client.ReadFrame()
			must(t, err)
			if bytes.ContainsRune(f.Payload, 0) {
				t.Errorf("a frame of %d bytes changed after it was queued", len(f.Payload))
			}
		}
	})
}

func TestSendLengths(t *testing.T) {
	r := dialed(t, limits(), &recorder{})
	for _, n := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20, 3 << 20} {
		p := pattern(n)
		must(t, r.Send(ws.Binary, p))
		must(t, r.SendFrame(wire.NewFrame(ws.Binary, p)))
		for range 2 {
			m, err := r.client.Read()
			must(t, err)
			want(t, "message", describe(m.Type.String(), m.Data), describe("binary", p))
		}
	}
	want(t, "Len of a frame", wire.NewFrame(ws.Binary, pattern(126)).Len(), 4+126)
}

func TestSendRefuses(t *testing.T) {
	r := piped(t, limits(), &recorder{})
	want(t, "text that is not UTF-8", r.Send(ws.Text, []byte("a\xff")), wire.ErrInvalidUTF8)
	want(t, "ping of 126", r.Ping(make([]byte, 126)), wire.ErrControlTooLong)
	want(t, "pong of 126", r.Pong(make([]byte, 126)), wire.ErrControlTooLong)
	must(t, r.Send(ws.Binary, []byte("a\xff")))
	m, err := r.client.Read()
	must(t, err)
	want(t, "the only message", string(m.Data), "a\xff")
	want(t, "state", r.State(), wire.StateOpen)
}

func TestSilentPeerIsCut(t *testing.T) {
	for name, send := range map[string]func(*wire.Conn, []byte) error{
		"Send":      func(c *wire.Conn, p []byte) error { return c.Send(ws.Binary, p) },
		"SendFrame": func(c *wire.Conn, p []byte) error { return c.SendFrame(wire.NewFrame(ws.Binary, p)) },
	} {
		for _, size := range []int{10, 1500, 30_000} {
			t.Run(fmt.Sprintf("%s of %d", name, size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testSilentPeer(t, send, size) })
			})
		}
	}
}

func testSilentPeer(t *testing.T, send func(*wire.Conn, []byte) error, size int) {
	r := piped(t, limits(), &recorder{})
	begun, sent := time.Now(), 0
	var err error
	for ; err == nil; sent++ {
		err = send(r.Conn, make([]byte, size))
		if messages, bytes := r.Buffered(); messages > 256 || bytes > 1<<20 {
			t.Fatalf("buffered %d messages, %d bytes: over the limits", messages, bytes)
		}
	}
	sent-- // the last one was refused
	want(t, "error", err, wire.ErrSlowConsumer)
	want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusSlowConsumer)
	if waited := time.Since(begun); waited > 100*time.Millisecond {
		t.Errorf("the sender was held for %v", waited)
	}
	want(t, "the next error", send(r.Conn, nil), wire.ErrClosed)
	r.ended(t)
	want(t, "until the end", time.Since(begun).Round(time.Second), 5*time.Second)
	want(t, "dropped", r.dropped.Load(), uint64(sent))
	messages, bytes := r.Buffered()
	want(t, "buffered in the end", messages+bytes, 0)
}

func TestSilentPeerIsCutOnTCP(t *testing.T) {
	client, server := tcpPair(t)
	must(t, server.(*net.TCPConn).SetWriteBuffer(16<<10))
	cfg := limits()
	cfg.CloseTimeout = 10 * time.Millisecond
	r := start(t, client, server, cfg, &recorder{})
	var err error
	for range 1 << 20 {
		if err = r.Send(ws.Binary, make([]byte, 32<<10)); err != nil {
			break
		}
	}
	want(t, "error", err, wire.ErrSlowConsumer)
	r.ended(t)
	want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusSlowConsumer)
}

// TestSlowConsumerLearnsOfItSoon: a slow consumer that wakes up gets what was being written, then the close frame, and
// nothing of what waited.
func TestSlowConsumerLearnsOfItSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		f := wire.NewFrame(ws.Binary, pattern(20_000))
		for r.SendFrame(f) == nil {
		}
		messages, _ := r.Buffered()
		want(t, "buffered after the cut", messages, 1)
		got := hear(t, r.client)
		want(t, "messages", len(got.messages), 1)
		want(t, "close frame", got.close.Status, ws.StatusSlowConsumer)
	})
}

// TestSenderThatWaitsSeesTheClose has a sender wait for room while somebody else closes.
func TestSenderThatWaitsSeesTheClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		for range 256 {
			must(t, r.Send(ws.Binary, nil))
		}
		time.AfterFunc(10*time.Millisecond, func() { _ = r.Close(ws.StatusKicked, "") })
		want(t, "error", r.Send(ws.Binary, nil), wire.ErrClosed)
		want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusKicked)
	})
}

func TestTrySendFrameNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		begun, f := time.Now(), wire.NewFrame(ws.Text, []byte("x"))
		for range 256 {
			ok, err := r.TrySendFrame(f)
			want(t, "queued", ok, true)
			must(t, err)
		}
		ok, err := r.TrySendFrame(f)
		want(t, "queued over the limit", ok, false)
		must(t, err)
		want(t, "time passed", time.Since(begun), 0)
		want(t, "state", r.State(), wire.StateOpen)
	})
}

// TestOneMessageAlwaysFits: the limit in bytes holds for what waits, not for a message that finds nothing waiting.
func TestOneMessageAlwaysFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.OutboxBytes = 100
		r := piped(t, cfg, &recorder{})
		must(t, r.Send(ws.Binary, pattern(1000)))
		ok, err := r.TrySendFrame(wire.NewFrame(ws.Binary, nil))
		must(t, err)
		want(t, "a second one", ok, false)
		m, err := r.client.Read()
		must(t, err)
		want(t, "message", len(m.Data), 1000)
	})
}

// TestPatienceWithASlowReader has a reader that takes something every 40 ms while the outbox is full all the time.
func TestPatienceWithASlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		const count = 1000
		var reading sync.WaitGroup
		reading.Go(func() {
			for range count {
				time.Sleep(40 * time.Millisecond)
				if _, err := r.client.Read(); err != nil {
					t.Errorf("reading: %v", err)
					return
				}
			}
		})
		f := wire.NewFrame(ws.Binary, make([]byte, 20_000)) // one write each
		for range count {
			must(t, r.SendFrame(f))
		}
		must(t, r.Flush(t.Context()))
		reading.Wait()
		want(t, "dropped", r.dropped.Load(), 0)
	})
}

func TestWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, r := time.Now(), piped(t, limits(), &recorder{})
		must(t, r.Send(ws.Text, []byte("never read")))
		r.ended(t)
		want(t, "time until the cut", time.Since(begun), 10*time.Second)
		want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusSlowConsumer)
		want(t, "dropped", r.dropped.Load(), 1)
	})
}

// TestWriteDeadlineCountsFromProgress has a peer that takes a byte every nine seconds.
func TestWriteDeadlineCountsFromProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		must(t, r.Send(ws.Binary, pattern(200_000)))
		var one [1]byte
		for range 40 {
			time.Sleep(9 * time.Second)
			_, err := r.client.Conn().Read(one[:])
			must(t, err)
		}
		want(t, "state after six minutes", r.State(), wire.StateOpen)
		r.ended(t)
		want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusSlowConsumer)
	})
}

func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		must(t, r.Flush(t.Context())) // nothing to wait for
		must(t, r.Send(ws.Text, []byte("x")))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		want(t, "while nobody reads", r.Flush(ctx), context.DeadlineExceeded)
		time.AfterFunc(time.Second, func() { _, _ = r.client.Read() })
		must(t, r.Flush(t.Context()))
		messages, size := r.Buffered()
		want(t, "buffered", messages+size, 0)

		must(t, r.Send(ws.Text, []byte("y")))
		time.AfterFunc(time.Second, r.Abort)
		want(t, "when the connection ends", r.Flush(t.Context()), wire.ErrClosed)
		r.ended(t)
		want(t, "after the end", r.Flush(t.Context()), wire.ErrClosed)
	})
}

func TestBuffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		must(t, r.Send(ws.Binary, pattern(100)))
		must(t, r.SendFrame(wire.NewFrame(ws.Binary, pattern(5000))))
		messages, size := r.Buffered()
		want(t, "messages", messages, 2)
		want(t, "bytes", size, 102+5004)
		for range 2 {
			_, err := r.client.Read()
			must(t, err)
		}
		synctest.Wait()
		messages, size = r.Buffered()
		want(t, "left", messages+size, 0)
	})
}

// TestPingsHaveABound: nobody reads, and pings pile up only so far. It is the sender's error, not the connection's end.
func TestPingsHaveABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		var err error
		n := 0
		for ; err == nil && n < 1000; n++ {
			err = r.Ping(make([]byte, wire.MaxControl))
		}
		want(t, "error", err, wire.ErrSlowConsumer)
		want(t, "state", r.State(), wire.StateOpen)
		if n < 60 || n > 140 { // 8 KiB that wait, and as much that is being written
			t.Errorf("%d pings were queued", n)
		}
	})
}

// TestUnreadPongsStopTheReading: a peer that sends pings and takes no pongs is not read on, and then cut.
func TestUnreadPongsStopTheReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		begun, sent := time.Now(), 0
		for r.client.Raw(ping(strings.Repeat("p", 125))) == nil {
			if time.Since(begun) < 10*time.Second { // afterwards it is cut, and what comes is discarded
				sent++
			}
		}
		if sent > 150 {
			t.Errorf("%d pings were read, and no pong was taken", sent)
		}
		r.ended(t)
		want(t, "time until the cut", time.Since(begun), 10*time.Second)
		want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusSlowConsumer)
	})
}

func TestConcurrentSenders(t *testing.T) {
	const senders, each = 8, 250
	r := dialed(t, limits(), &recorder{})
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			for i := range each {
				if err := r.Send(ws.Text, fmt.Appendf(nil, "%d %d", s, i)); err != nil {
					t.Errorf("sender %d: %v", s, err)
					return
				}
			}
		})
	}
	var next [senders]int
	for range senders * each {
		var s, i int
		_, err := fmt.Sscan(r.client.ReadText(), &s, &i)
		must(t, err)
		want(t, fmt.Sprintf("next of sender %d", s), i, next[s])
		next[s]++
	}
	sending.Wait()
}

func TestTenThousandMessagesToAPeerThatReads(t *testing.T) {
	t.Run("tcp", func(t *testing.T) { testTenThousand(t, dialed(t, limits(), &recorder{})) })
	t.Run("pipe", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { testTenThousand(t, piped(t, limits(), &recorder{})) })
	})
}

func testTenThousand(t *testing.T, r *rig) {
	failed := pump(r.Conn, 10_000)
	for i := range 10_000 {
		want(t, "message", r.client.ReadText(), "number "+strconv.Itoa(i))
	}
	must(t, <-failed)
	must(t, r.Flush(t.Context()))
	want(t, "state", r.State(), wire.StateOpen)
	messages, bytes := r.Buffered()
	want(t, "buffered", messages+bytes, 0)
}

// pump sends n messages as fast as it can.
func pump(c *wire.Conn, n int) <-chan error {
	failed := make(chan error, 1)
	go func() {
		for i := range n {
			if err := c.Send(ws.Text, []byte("number "+strconv.Itoa(i))); err != nil {
				failed <- err
				return
			}
		}
		failed <- nil
	}()
	return failed
}

func TestNothingAfterClose(t *testing.T) {
	r := piped(t, limits(), &recorder{})
	must(t, r.Send(ws.Text, []byte("queued")))
	must(t, r.Close(ws.StatusNormalClosure, ""))
	check := func() {
		t.Helper()
		_, err := r.TrySendFrame(wire.NewFrame(ws.Text, nil))
		err = errors.Join(err, r.Send(ws.Text, nil))
		for _, err := range []error{
			err, r.SendFrame(wire.NewFrame(ws.Text, nil)), r.Ping(nil), r.Pong(nil), r.Close(ws.StatusNormalClosure, ""),
		} {
			if !errors.Is(err, wire.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
		}
	}
	check()
	want(t, "first", r.client.ReadText(), "queued")
	want(t, "second", r.client.ReadClose().Status, ws.StatusNormalClosure)
	r.ended(t)
	check()
}
