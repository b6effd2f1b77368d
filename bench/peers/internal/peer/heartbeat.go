package peer

import (
	"sync"
	"time"
)

// Heartbeat calls ping every [PingInterval], from a goroutine that lives no longer than that, until ping fails or stop
// is called. When stop returns no ping runs any more: a connection that its library uses again may be given back.
func Heartbeat(ping func() error) (stop func()) {
	interval := *PingInterval
	if interval <= 0 {
		return func() {}
	}
	var (
		mu      sync.Mutex
		timer   *time.Timer
		stopped bool
	)
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(interval, func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped && ping() == nil {
			timer.Reset(interval)
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer.Stop()
	}
}
