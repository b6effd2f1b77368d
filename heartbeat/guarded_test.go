package heartbeat_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/heartbeat"
)

// TestNoExpiryAfterRemoveInTheLastMoment removes a peer when it is asked for the last time: its time is up by then,
// because the timeout is shorter than the interval.
func TestNoExpiryAfterRemoveInTheLastMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := heartbeat.New(heartbeat.Config{Interval: time.Second, Timeout: time.Second / 2})
		defer m.Close()
		l := &leaver{silent: silent{make(chan struct{})}, m: m}
		l.e.Store(m.Add(l))
		time.Sleep(time.Minute)
		select {
		case <-l.gone:
			t.Error("expired after it was removed")
		default:
		}
	})
}
