package wire_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestPongsOfABatchGoTogether: pings that come at once are answered by one write, and the last one at once.
func TestPongsOfABatchGoTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answered, early atomic.Int64
		pings := 0
		r := piped(t, limits(), &recorder{onPing: func() {
			if pings++; pings < 3 {
				synctest.Wait() // whatever was written has been read
				early.Add(answered.Load())
			}
		}})
		go func() {
			if err := r.client.Raw(join(ping("a"), ping("b"), ping("c"))); err != nil {
				t.Error(err)
			}
		}()
		for _, want := range []string{"a", "b", "c"} {
			f, err := r.client.ReadFrame()
			must(t, err)
			if f.Op != 10 || string(f.Payload) != want {
				t.Errorf("got %+v, want the pong of %q", f, want)
			}
			answered.Add(1)
		}
		if n := early.Load(); n > 0 {
			t.Errorf("%d pongs were out before the last ping was looked at", n)
		}
	})
}
