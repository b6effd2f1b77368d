package wire_test

import (
	"io"
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

func TestSilentPeerIsCut(t *testing.T) {
	for _, size := range []int{10, 1500, 30_000} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testSilentPeer(t, size) })
		})
	}
}

func testSilentPeer(t *testing.T, size int) {
	r := piped(t, limits(), &recorder{})
	begun, sent := time.Now(), 0
	var err error
	for ; err == nil; sent++ {
		err = r.Send(ws.Binary, make([]byte, size))
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
	want(t, "the next error", r.Send(ws.Binary, nil), wire.ErrClosed)
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
		for r.Send(ws.Binary, pattern(40_000)) == nil {
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

// TestSenderThatComesLate finds an outbox that has been full for a while. Its writer may just not have had its turn, so
// the sender waits 50 ms like any other; after a second the case is clear.
func TestSenderThatComesLate(t *testing.T) {
	for after, held := range map[time.Duration]time.Duration{
		45 * time.Millisecond:  50 * time.Millisecond,
		400 * time.Millisecond: 50 * time.Millisecond,
		time.Second:            0,
	} {
		t.Run(after.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := piped(t, limits(), &recorder{})
				for range 256 {
					must(t, r.Send(ws.Binary, nil))
				}
				time.Sleep(after)
				begun := time.Now()
				want(t, "error", r.Send(ws.Binary, nil), wire.ErrSlowConsumer)
				want(t, "the sender was held for", time.Since(begun), held)
			})
		})
	}
}

// TestLateSenderWaitsForTheReader has the peer read when the sender has come.
func TestLateSenderWaitsForTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		for range 256 {
			must(t, r.Send(ws.Binary, nil))
		}
		time.Sleep(400 * time.Millisecond)
		time.AfterFunc(40*time.Millisecond, func() {
			for range 257 {
				_, err := r.client.Read()
				must(t, err)
			}
		})
		must(t, r.Send(ws.Binary, nil))
		must(t, r.Flush(t.Context()))
	})
}

// TestRoundsNeverWait: whatever their number, as many bytes as the limit says are queued, and four times that unless
// the socket has taken nothing for a second. Beyond, the receiver is cut.
func TestRoundsNeverWait(t *testing.T) {
	for name, tt := range map[string]struct {
		size int           // of a message on the wire
		gap  time.Duration // before what is over the limit
		most int           // messages that are queued
	}{
		"at once":                {8 << 10, 0, 4 * 128},
		"within a second":        {8 << 10, 999 * time.Millisecond, 4 * 128},
		"after a second":         {8 << 10, time.Second, 128},
		"many after a second":    {1 << 10, time.Second, 1024},
		"many within the second": {1 << 10, 0, 4 * 1024},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := piped(t, limits(), &recorder{})
				p, sent := make([]byte, tt.size-4), 0
				for ; sent < 1<<20/tt.size; sent++ {
					must(t, r.round(ws.Binary, p))
				}
				want(t, "full", r.Full(), true)
				time.Sleep(tt.gap)
				begun := time.Now()
				for sent <= tt.most && r.round(ws.Binary, p) == nil {
					sent++
				}
				want(t, "messages", sent, tt.most)
				want(t, "time passed", time.Since(begun), 0)
				want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusSlowConsumer)
			})
		})
	}
}

// TestOneMessageAlwaysFits: the limit in bytes holds for what waits, not for a message that finds nothing waiting.
func TestOneMessageAlwaysFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.OutboxBytes = 100
		r := piped(t, cfg, &recorder{})
		must(t, r.Send(ws.Binary, pattern(1000)))
		m, err := r.client.Read()
		must(t, err)
		want(t, "message", len(m.Data), 1000)
		must(t, r.Send(ws.Binary, pattern(1000)))
		want(t, "a second one, while nobody reads", r.Send(ws.Binary, nil), wire.ErrSlowConsumer)
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
		p := make([]byte, 40_000) // one write each
		for range count {
			must(t, r.Send(ws.Binary, p))
		}
		must(t, r.Flush(t.Context()))
		reading.Wait()
		want(t, "dropped", r.dropped.Load(), 0)
	})
}

// TestPatienceWithALongMessage has one message in hand that the reader takes in parts, and another that waits for it.
func TestPatienceWithALongMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.OutboxMessages = 1
		r := piped(t, cfg, &recorder{})
		must(t, r.Send(ws.Binary, pattern(1<<20)))
		sent := make(chan error, 1)
		go func() { sent <- r.Send(ws.Text, []byte("behind it")) }()
		part := make([]byte, 64<<10)
		for range 16 {
			time.Sleep(40 * time.Millisecond)
			_, err := io.ReadFull(r.client.Conn(), part)
			must(t, err)
		}
		_, err := io.ReadFull(r.client.Conn(), part[:10]) // what the header took
		must(t, err)
		want(t, "next", r.client.ReadText(), "behind it")
		must(t, <-sent)
	})
}

// TestSteadyReaderHoldsNobodyForEver has a reader that always takes something, at a pace at which a sender would wait
// 20 s for the message in hand.
func TestSteadyReaderHoldsNobodyForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.OutboxMessages = 1
		r := piped(t, cfg, &recorder{})
		must(t, r.Send(ws.Binary, make([]byte, 8<<20)))
		var reading sync.WaitGroup
		reading.Go(func() {
			part := make([]byte, 16<<10)
			for {
				time.Sleep(40 * time.Millisecond)
				if _, err := io.ReadFull(r.client.Conn(), part); err != nil {
					return
				}
			}
		})
		begun := time.Now()
		want(t, "error", r.Send(ws.Text, []byte("behind it")), wire.ErrSlowConsumer)
		want(t, "the sender was held for", time.Since(begun).Round(100*time.Millisecond), cfg.WriteDeadline)
		r.ended(t)
		reading.Wait()
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
