package hub_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// streamer sends numbered messages until the socket is gone, and reads until the close frame.
type streamer struct {
	*session
	status <-chan ws.Status
	sent   int
	over   chan struct{}
}

func stream(s *session, pause time.Duration) *streamer {
	x := &streamer{session: s, status: s.live(), over: make(chan struct{})}
	go func() {
		defer close(x.over)
		for s.Frame(true, wireText, fmt.Append(nil, x.sent)) == nil {
			x.sent++
			if pause > 0 {
				time.Sleep(pause)
			}
		}
	}()
	return x
}

// TestShutdownUnderLoad shuts down while clients stream and never stop by themselves: each sees 1001, and what was read
// of each is stored, in order, once.
func TestShutdownUnderLoad(t *testing.T) {
	for _, per := range []hub.BatchPer{hub.Shared, hub.PerConn} {
		t.Run(fmt.Sprint(per), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failures := 0
				var mu sync.Mutex
				st := newStore(func(context.Context, *hub.Batch) error {
					time.Sleep(20 * time.Millisecond)
					mu.Lock()
					defer mu.Unlock()
					if failures++; failures%3 == 0 {
						return errStore
					}
					return nil
				})
				h := newHub(t, hub.Config{OnBatch: st.handle, BatchPer: per, Batch: batch.Config{MaxItems: 20, Attempts: -1, MaxBackoff: 100 * time.Millisecond}})
				var streams []*streamer
				for i := range 200 {
					streams = append(streams, stream(connectAs(t, h, fmt.Sprint("device", i)), time.Millisecond))
				}
				time.Sleep(500 * time.Millisecond)
				must(t, h.Shutdown(background))
				stats := h.Stats()
				stored := uint64(0)
				for i, x := range streams {
					want(t, "close frame", <-x.status, ws.StatusGoingAway)
					<-x.over
					got := st.of(fmt.Sprint("device", i))
					stored += uint64(len(got))
					if len(got) == 0 || len(got) > x.sent {
						t.Errorf("%d stored of %d sent", len(got), x.sent)
					}
					for n, v := range got {
						if v != fmt.Sprint(n) {
							t.Fatalf("message %d is %s", n, v)
						}
					}
				}
				want(t, "handled", stats.BatchHandled, stored)
				want(t, "accepted", stats.BatchAccepted, stored)
				want(t, "abandoned", stats.Abandoned, 0)
			})
		})
	}
}

// TestShutdownUnderLoadOverTCP is the same with real sockets, where a client that is cut off with unread input would
// see a reset instead of 1001.
func TestShutdownUnderLoadOverTCP(t *testing.T) {
	var handled atomic.Int64
	stored := make(chan struct{}, 1)
	h := newHub(t, hub.Config{OnBatch: func(_ context.Context, b *hub.Batch) error {
		handled.Add(int64(b.Len()))
		select {
		case stored <- struct{}{}:
		default:
		}
		return nil
	}})
	var streams []*streamer
	for range 8 {
		streams = append(streams, stream(connectTCP(t, h), 0))
	}
	for handled.Load() < 1000 {
		await(t, stored, "a batch")
	}
	must(t, h.Shutdown(background))
	stats := h.Stats()
	for _, x := range streams {
		want(t, "close frame", await(t, x.status, "the close frame"), ws.StatusGoingAway)
		await(t, x.over, "the sender")
	}
	want(t, "handled", stats.BatchHandled, stats.BatchAccepted)
	want(t, "counted by the handler", uint64(handled.Load()), stats.BatchHandled)
}

// TestNothingIsDeliveredAfterTheShutdown counts what is called when.
func TestNothingIsDeliveredAfterTheShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls, closes atomic.Int64
		note := func() { calls.Add(1) }
		h := newHub(t, hub.Config{
			Rate:      -1,
			OnMessage: func(*hub.Conn, hub.Message) error { note(); return nil },
			OnPing:    func(*hub.Conn, []byte) { note() },
			OnClose:   func(*hub.Conn, error) { note(); closes.Add(1) },
		})
		var streams []*streamer
		for range 20 {
			streams = append(streams, stream(connect(t, h), time.Millisecond))
		}
		time.Sleep(time.Second)
		must(t, h.Shutdown(background))
		want(t, "calls of OnClose", closes.Load(), 20)
		n := calls.Load()
		time.Sleep(time.Minute)
		want(t, "calls afterwards", calls.Load(), n)
		for _, x := range streams {
			<-x.over
			want(t, "close frame", <-x.status, ws.StatusGoingAway)
			want(t, "Send", x.handle.SendText("x"), hub.ErrClosed)
		}
	})
}

// TestShutdownAbandons has stores that are down for good: the shutdown is bounded, and its ledger balances, those
// messages included that were read but found no room any more.
func TestShutdownAbandons(t *testing.T) {
	for name, row := range map[string]struct {
		store  func(ctx context.Context, release <-chan struct{}) error
		within time.Duration
	}{
		"always fails": {func(context.Context, <-chan struct{}) error { return errStore }, 21 * time.Second},
		"waits for its context": {func(ctx context.Context, _ <-chan struct{}) error {
			<-ctx.Done()
			return ctx.Err()
		}, 21 * time.Second},
		"hangs": {func(_ context.Context, release <-chan struct{}) error { <-release; return errStore }, 23 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				var reported list[error]
				h := newHub(t, hub.Config{
					OnBatch: func(ctx context.Context, _ *hub.Batch) error { return row.store(ctx, release) },
					OnError: func(_ *hub.Conn, err error) { reported.add(err) },
					Batch:   batch.Config{MaxItems: 5, Lanes: 1, Timeout: -1, Attempts: -1},
				})
				x := stream(connect(t, h), time.Millisecond)
				time.Sleep(time.Second)
				took, err := shutdown(background, h)()
				if took > row.within {
					t.Errorf("it took %v", took)
				}
				stats := h.Stats()
				var lost *hub.ShutdownError
				if !errors.As(err, &lost) || lost.Abandoned != stats.BatchAccepted {
					t.Errorf("got %v, accepted were %d", err, stats.BatchAccepted)
				}
				want(t, "the ledger", stats.BatchAccepted, stats.BatchHandled+stats.Abandoned+stats.BatchPending)
				want(t, "received", stats.MessagesIn, stats.BatchAccepted)
				want(t, "close frame", <-x.status, ws.StatusGoingAway)
				close(release)
				<-x.over
				time.Sleep(time.Second)
				if len(reported.all()) == 0 {
					t.Error("OnError was not told")
				}
				want(t, "pending in the end", h.Stats().BatchPending, 0)
			})
		})
	}
}

// TestShutdownReleasesTheHandlersContext ends the context of a batch handler when ctx ends, and not before.
func TestShutdownReleasesTheHandlersContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Time, 1)
		h := newHub(t, hub.Config{
			Batch: batch.Config{MaxItems: 1, Attempts: 1},
			OnBatch: func(ctx context.Context, _ *hub.Batch) error {
				<-ctx.Done()
				ended <- time.Now()
				return nil // it was stored after all
			},
		})
		s := connect(t, h)
		s.SendText("x")
		s.sync()
		s.live()
		time.Sleep(time.Second)
		start := time.Now()
		ctx, cancel := context.WithTimeout(background, 3*time.Second)
		defer cancel()
		must(t, h.Shutdown(ctx))
		want(t, "end of the context", (<-ended).Sub(start), 3*time.Second)
		want(t, "handled", h.Stats().BatchHandled, 1)
	})
}

// TestShutdownMeetsLateConnections begins connections that have their place already: while batches are being stored
// nothing of theirs is read any more, and while connections are being closed they are told at once.
func TestShutdownMeetsLateConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{
			Batch: batch.Config{MaxItems: 1},
			OnBatch: func(context.Context, *hub.Batch) error {
				time.Sleep(3 * time.Second)
				return nil
			},
		})
		early := connect(t, h)
		early.swallow() // and never answers, so that the closing takes 5 s
		early.SendText("x")
		early.sync()
		var places []*hub.Reservation
		for range 2 {
			r, err := h.Reserve()
			must(t, err)
			places = append(places, r)
		}
		wait := shutdown(background, h)
		time.Sleep(time.Second)
		whileStoring := stream(begin(t, h, hub.Request{Reservation: places[0]}), time.Millisecond)
		time.Sleep(3 * time.Second)
		want(t, "close frame of the first", <-whileStoring.status, ws.StatusGoingAway)
		whileClosing := begin(t, h, hub.Request{Reservation: places[1]})
		start := time.Now()
		whileClosing.wantClose(ws.StatusGoingAway)
		want(t, "time until the second was told", time.Since(start), 0)
		took, err := wait()
		must(t, err)
		want(t, "took", took.Round(100*time.Millisecond), 8*time.Second)
		<-whileStoring.over
		want(t, "accepted", h.Stats().BatchAccepted, 1)
		want(t, "handled", h.Stats().BatchHandled, 1)
	})
}
