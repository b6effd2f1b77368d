package wsx_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

var boundsOfStores = map[string]bound{
	"batch.Config.Lanes":      reachLanes,
	"batch.Config.Attempts":   reachAttempts,
	"batch.Config.Backoff":    retries(batch.Config{Backoff: 4 * time.Millisecond}, 4*time.Millisecond, 8*time.Millisecond, 16*time.Millisecond),
	"batch.Config.MaxBackoff": retries(batch.Config{Backoff: 4 * time.Millisecond, MaxBackoff: 5 * time.Millisecond}, 4*time.Millisecond, 5*time.Millisecond, 5*time.Millisecond),
	"batch.Config.Timeout":    reachTimeout,
}

// reachLanes has more clients than lanes, and a store that holds each call.
func reachLanes(t *testing.T, on transport) {
	const lanes, clients = 2, 5
	var mu sync.Mutex
	at, most := 0, 0
	count := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		at += n
		most = max(most, at)
	}
	begun, store := make(chan struct{}, clients), make(chan struct{})
	h := echoHub(hub.Config{
		Batch: batch.Config{Lanes: lanes, MaxItems: 1},
		OnBatch: func(context.Context, *hub.Batch) error {
			count(1)
			defer count(-1)
			begun <- struct{}{}
			<-store
			return nil
		},
	})
	address := on.serve(t, h)
	for range clients {
		wsxtest.Dial(t, address).SendText("x")
	}
	for range lanes {
		<-begun
	}
	eventually(t, "the others wait", func() bool { return h.Stats().BatchAccepted >= 2*lanes })
	close(store)
	eventually(t, "all are stored", func() bool { return h.Stats().BatchHandled == clients })
	mu.Lock()
	defer mu.Unlock()
	if most != lanes {
		t.Errorf("%d batches at once, want %d", most, lanes)
	}
}

// reachAttempts has a store that never takes one of two messages.
func reachAttempts(t *testing.T, on transport) {
	var whole atomic.Int32
	h := echoHub(hub.Config{
		Batch: batch.Config{MaxItems: 2, MaxAge: -1, Attempts: 3, Backoff: time.Millisecond},
		OnBatch: func(_ context.Context, b *hub.Batch) error {
			if b.Len() == 2 {
				whole.Add(1)
			}
			for _, item := range b.All() {
				if item.Message.Text() == "poison" {
					return errors.New("no")
				}
			}
			return nil
		},
	})
	c := wsxtest.Dial(t, on.serve(t, h))
	_ = c.Raw(texts("good", "poison"))
	eventually(t, "it is over", func() bool { s := h.Stats(); return s.BatchHandled == 1 && s.Rejected == 1 })
	if got := whole.Load(); got != 3 {
		t.Errorf("the batch was tried %d times before it was parted, want 3", got)
	}
}

// retries is a bound of the pauses before a store that fails at first is asked again.
func retries(cfg batch.Config, longest ...time.Duration) bound {
	return func(t *testing.T, on transport) {
		pauses, failed := make(chan time.Duration, len(longest)), new(atomic.Int32)
		cfg := cfg
		cfg.MaxAge = time.Millisecond
		cfg.OnRetry = func(_ error, _ int, pause time.Duration) { pauses <- pause }
		h := echoHub(hub.Config{Batch: cfg, OnBatch: func(context.Context, *hub.Batch) error {
			if failed.Add(1) <= int32(len(longest)) {
				return errors.New("not yet")
			}
			return nil
		}})
		c := wsxtest.Dial(t, on.serve(t, h))
		c.SendText("x")
		eventually(t, "it is stored", func() bool { return h.Stats().BatchHandled == 1 })
		for i, most := range longest {
			if got := <-pauses; got > most {
				t.Errorf("pause %d: %s, want %s at most", i+1, got, most)
			}
		}
	}
}

// reachTimeout has a store that goes on until its context ends, and has stored the batch all the same.
func reachTimeout(t *testing.T, on transport) {
	ended := make(chan error, 1)
	h := echoHub(hub.Config{
		Batch: batch.Config{MaxAge: time.Millisecond, Timeout: 20 * time.Millisecond},
		OnBatch: func(ctx context.Context, _ *hub.Batch) error {
			<-ctx.Done()
			ended <- ctx.Err()
			return nil
		},
	})
	c := wsxtest.Dial(t, on.serve(t, h))
	c.SendText("x")
	eventually(t, "it is stored", func() bool { return h.Stats().BatchHandled == 1 })
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it ended with %v", err)
	}
}
