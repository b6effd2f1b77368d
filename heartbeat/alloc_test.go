//go:build !race

package heartbeat_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/heartbeat"
)

func TestTurnsAllocateNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := heartbeat.New(heartbeat.Config{Interval: time.Second})
		defer m.Close()
		var pings atomic.Int64
		for range 1000 {
			m.Add(counted{&pings})
		}
		time.Sleep(2 * time.Second)
		before := pings.Load()
		n := testing.AllocsPerRun(20, func() {
			time.Sleep(time.Second)
			synctest.Wait()
		})
		if pinged := pings.Load() - before; n != 0 || pinged < 20_000 {
			t.Errorf("%v allocations a second, %d pings", n, pinged)
		}
	})
}
