//go:build unix

package hub_test

import (
	"os"
	"runtime"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// TestDeliveringTakesTurns: on one processor, where Go looks for input when nothing else can run, a reader whose input
// is there does not wait until all receivers of a broadcast have it.
func TestDeliveringTakesTurns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const receivers = 500
	if deliveredUntilRead(t, receivers) == receivers {
		t.Errorf("the input was read when all %d receivers had the message", receivers)
	}
}

// deliveredUntilRead broadcasts a message, and returns how many receivers have it when another goroutine reads input
// that was there from the start.
func deliveredUntilRead(t *testing.T, receivers int) (delivered uint64) {
	t.Helper()
	h := newHub(t, hub.Config{OnMessage: nothing, MaxConns: receivers})
	for range receivers {
		connectTCP(t, h)
	}
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close()
	given := make(chan uint64)
	go func() {
		for range 2 {
			_, _ = r.Read(make([]byte, 1))
			given <- h.Stats().MessagesOut
		}
	}()
	_, err = w.Write([]byte("x"))
	must(t, err)
	<-given // from here on it waits
	must(t, h.All().Send(hub.Message{Type: ws.Binary, Data: make([]byte, 4<<10)}))
	_, err = w.Write([]byte("x"))
	must(t, err)
	return <-given
}
