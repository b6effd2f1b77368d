//go:build linux || darwin || freebsd || netbsd || dragonfly

package turn_test

import (
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/fiberwsx/wsx/internal/turn"
)

// TestTake: on one processor, a reader whose input is there runs before a turn is over, but for one time in 61, when
// Go's scheduler looks elsewhere first; and before two turns are over in any case.
func TestTake(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var turns turn.Turns
	var heard atomic.Int64
	w := pipe(t, func() { heard.Add(1) })
	polled := make(chan struct{})
	waken := pipe(t, func() { polled <- struct{}{} })
	turns.Take() // both readers wait after it
	const rounds, most = 100, 10
	late := 0
	for i := range int64(rounds) {
		for _, to := range []*os.File{waken, w} { // what the turn before has left in the poller is gone when this one begins
			if _, err := to.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if to == waken {
				<-polled
			}
		}
		turns.Take()
		if heard.Load() != i+1 {
			late++
		}
		turns.Take()
		if got := heard.Load(); got != i+1 {
			t.Fatalf("%d bytes are read of %d", got, i+1)
		}
	}
	if late > most {
		t.Errorf("of %d readers %d were late, want %d at most", rounds, late, most)
	}
}

// pipe returns the end of a pipe for writing. Go's poller wakes the goroutine that reads the other one, and calls each
// for every byte.
func pipe(t *testing.T, each func()) (w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := r.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		var b [1]byte
		_ = raw.Read(func(fd uintptr) bool {
			for {
				// Raw, so that during the call no other goroutine has the processor.
				n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&b[0])), 1)
				if errno != 0 || n == 0 {
					return errno == 0
				}
				each()
			}
		})
	}()
	t.Cleanup(func() {
		_ = w.Close()
		select {
		case <-over:
		case <-time.After(10 * time.Second):
			t.Error("the reader has not seen the end")
		}
		_ = r.Close()
	})
	return w
}
