package wsx

import (
	"net"
	"testing"
	"time"
)

// TestAcceptingTakesTurns: where connections come one right behind the other, a turn is taken every 50 µs.
func TestAcceptingTakesTurns(t *testing.T) {
	const wanted = 10
	turns, begun := 0, time.Now()
	l := &patient{Listener: ready{}, takeTurn: func() { turns++ }}
	for turns < wanted {
		if _, err := l.Accept(); err != nil {
			t.Fatal(err)
		}
		if time.Since(begun) > 10*time.Second {
			t.Fatalf("%d turns in 10 s, want %d", turns, wanted)
		}
	}
	if took := time.Since(begun); took < wanted*50*time.Microsecond {
		t.Errorf("%d turns in %v", wanted, took)
	}
}

// ready is a listener for which there is always somebody.
type ready struct{ net.Listener }

func (ready) Accept() (net.Conn, error) { return nil, nil }
