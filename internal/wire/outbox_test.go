package wire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	t.Run("detached", func(t *testing.T) { testOrder(t, dialed(t, limits(), &recorder{})) })
	t.Run("in place", func(t *testing.T) { testOrder(t, inPlace(t, limits(), &recorder{})) })
	t.Run("pipe", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { testOrder(t, piped(t, limits(), &recorder{})) })
	})
}

func testOrder(t *testing.T, r *rig) {
	const count = 600
	var sending sync.WaitGroup
	sending.Go(func() {
		sendMix(t, r, count)
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
func sendMix(t testing.TB, c *rig, n int) {
	for i := range n {
		p := []byte(strconv.Itoa(i) + " " + strings.Repeat("x", i%7*i%2500))
		var err error
		if i%3 == 0 {
			err = c.Send(ws.Text, p)
		} else {
			err = c.round(ws.Text, p)
		}
		if err == nil && i%10 == 0 {
			err = c.Ping([]byte(strconv.Itoa(i)))
		}
		if err != nil {
			t.Errorf("sending %d: %v", i, err)
		}
	}
}

func TestSendKeepsNothingOfTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		for _, n := range []int{10, 2000, 20000} {
			p := bytes.Repeat([]byte{'a'}, n)
			must(t, r.Send(ws.Binary, p))
			must(t, r.round(ws.Binary, p))
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
		for _, send := range []func(ws.MessageType, []byte) error{r.Send, r.round} {
			must(t, send(ws.Binary, p))
			m, err := r.client.Read()
			must(t, err)
			want(t, "message", describe(m.Type.String(), m.Data), describe("binary", p))
		}
	}
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
		must(t, r.round(ws.Binary, pattern(5000)))
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
	t.Run("detached", func(t *testing.T) { testTenThousand(t, dialed(t, limits(), &recorder{})) })
	t.Run("in place", func(t *testing.T) { testTenThousand(t, inPlace(t, limits(), &recorder{})) })
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
		for _, err := range []error{
			r.Send(ws.Text, nil), r.round(ws.Text, nil), r.Ping(nil), r.Pong(nil), r.Close(ws.StatusNormalClosure, ""),
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

// TestFlushOfWhatIsLost: who was too slow, and reads on then, has not got what was queued.
func TestFlushOfWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.OutboxMessages = 3
		r := piped(t, cfg, &recorder{})
		for range 3 {
			must(t, r.Send(ws.Binary, pattern(5000)))
			synctest.Wait()
		}
		flushed := make(chan error, 1)
		go func() { flushed <- r.Flush(t.Context()) }()
		synctest.Wait()
		want(t, "one more", r.Send(ws.Binary, pattern(5000)), wire.ErrSlowConsumer)
		want(t, "close frame", r.client.ReadClose().Status, ws.StatusSlowConsumer)
		want(t, "of what was queued", <-flushed, wire.ErrClosed)
		want(t, "afterwards", r.Flush(t.Context()), wire.ErrClosed)
	})
}
