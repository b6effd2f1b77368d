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
	const receivers = 500
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
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
	if got := <-given; got == receivers {
		t.Errorf("the input was read when all %d receivers had the message", receivers)
	}
}
