//go:build unix

package hub_test

import (
	"os"
	"runtime"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// TestDeliveringTakesTurns: on one processor, on which Go looks for what is ready when nothing else can run, a
// broadcast to many does not keep somebody waiting whose input is there.
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
	_, _ = w.Write([]byte("x"))
	<-given // from here on it waits
	must(t, h.All().Send(hub.Message{Type: ws.Binary, Data: make([]byte, 4<<10)}))
	_, _ = w.Write([]byte("x"))
	if got := <-given; got == receivers {
		t.Errorf("what was there was seen when all %d receivers had the message", receivers)
	}
}
