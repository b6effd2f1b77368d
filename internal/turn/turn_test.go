//go:build unix

package turn_test

import (
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fiberwsx/wsx/internal/turn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTakeByMany: many goroutines take turns at once, and all get theirs.
func TestTakeByMany(t *testing.T) {
	var turns turn.Turns
	done := make(chan struct{})
	const many, times = 50, 100
	for range many {
		go func() {
			for range times {
				turns.Take()
			}
			done <- struct{}{}
		}()
	}
	for range many {
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatal("somebody waits for ever")
		}
	}
}

// busy is a goroutine that can always run, until its end is called.
func busy() (rounds *atomic.Int64, end func()) {
	rounds = new(atomic.Int64)
	var over atomic.Bool
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for !over.Load() {
			rounds.Add(1)
			runtime.Gosched()
		}
	}()
	return rounds, func() {
		over.Store(true)
		<-ended
	}
}

// TestTakeRests: where something else can always run, and Go seldom polls, few turns wait for that.
func TestTakeRests(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var turns turn.Turns
	rounds, end := busy()
	defer end()
	const all, most = 100, 20
	waited := 0
	for range all {
		before := rounds.Load()
		turns.Take()
		if rounds.Load() != before {
			waited++
		}
	}
	if waited > most {
		t.Errorf("%d of %d turns waited, want %d at most", waited, all, most)
	}
}

// TestTakeByManyRests: there, of many that wait already, few wait for polls of their own.
func TestTakeByManyRests(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var turns turn.Turns
	_, end := busy()
	defer end()
	const all, most = 100, 10
	returned := make(chan time.Time, all)
	for range all {
		go func() {
			turns.Take()
			returned <- time.Now()
		}()
	}
	polls, last := 0, time.Now()
	for range all {
		at := <-returned
		if at.Sub(last) > 2*time.Millisecond { // the others return with one
			polls++
		}
		last = at
	}
	if polls > most {
		t.Errorf("%d turns waited for %d polls, want %d at most", all, polls, most)
	}
}

// TestIdleTurnsHoldNothing: the descriptors are given back when no more turns are taken, and not before. It takes its
// time: in a bubble of testing/synctest there are no turns.
func TestIdleTurnsHoldNothing(t *testing.T) {
	const held = 100 * time.Millisecond // after a turn, at least
	var turns turn.Turns
	turns.Take() // so that Go's poller, which keeps descriptors, is there
	before := steady(t)
	for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); {
		asked := time.Now()
		turns.Take()
		if n := descriptors(t); n <= before && time.Since(asked) < held {
			t.Fatalf("%d descriptors before, %d while turns are taken", before, n)
		}
	}
	if n := steady(t); n != before {
		t.Errorf("%d descriptors before, %d after", before, n)
	}
}

// steady returns how many descriptors there are, once that has not changed for half a second: turns that are over,
// those of other tests too, have given theirs back then.
func steady(t *testing.T) int {
	t.Helper()
	n, since := descriptors(t), time.Now()
	for deadline := since.Add(10 * time.Second); time.Since(since) < 500*time.Millisecond; <-time.After(time.Millisecond) {
		if now := descriptors(t); now != n {
			n, since = now, time.Now()
		}
		if time.Now().After(deadline) {
			t.Fatal("the descriptors change all the time")
		}
	}
	return n
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func BenchmarkTake(b *testing.B) {
	var turns turn.Turns
	for b.Loop() {
		turns.Take()
	}
}
