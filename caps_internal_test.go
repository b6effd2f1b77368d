package wsx

import (
	"runtime"
	"testing"
	"time"
)

// TestForgottenLoansAreReleased: when fasthttp drops a connection without a word, the garbage collector gives back what
// is counted for it; not when the connection was handed over.
func TestForgottenLoansAreReleased(t *testing.T) {
	lend := func(handedOver bool) (released chan struct{}) {
		s := &slot{}
		released = make(chan struct{})
		s.keep(func() { close(released) })
		if l := s.lend(); handedOver {
			l.over()
		}
		return released
	}
	handedOver := lend(true)
	runtime.GC() // so that its turn would come first
	forgotten := lend(false)
	for deadline := time.Now().Add(10 * time.Second); ; runtime.GC() {
		select {
		case <-handedOver:
			t.Fatal("the slot of a connection that was handed over is released")
		case <-forgotten:
			return
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("the slot of a forgotten connection is never released")
		}
	}
}
