//go:build !race

package hub_test

import (
	"testing"

	"github.com/fiberwsx/wsx/hub"
)

// TestSteadyStateDoesNotAllocate: not for a message, not for a receiver, from the socket to the socket or the batch.
func TestSteadyStateDoesNotAllocate(t *testing.T) {
	for name, path := range map[string]func(testing.TB) func(){
		"echo": echoing, "broadcast": broadcasting, "under a policy": conflating, "ingest": ingesting(hub.AckNone), "ingest with acks": ingesting(hub.AckBatch),
		"compressed broadcast": broadcastingCompressed(false), "with context takeover": broadcastingCompressed(true),
	} {
		t.Run(name, func(t *testing.T) {
			one := path(t)
			for range 1000 {
				one()
			}
			if n := testing.AllocsPerRun(2000, one); n != 0 {
				t.Errorf("got %v allocations a message, want 0", n)
			}
		})
	}
}

// TestEventsAllocateLittle: what stands around an event costs two allocations at most above what decodes its body.
func TestEventsAllocateLittle(t *testing.T) {
	above := testing.AllocsPerRun(2000, decoding)
	for name, path := range map[string]func(testing.TB) func(){"event": eventing, "request": replying} {
		t.Run(name, func(t *testing.T) {
			one := path(t)
			for range 1000 {
				one()
			}
			if n := testing.AllocsPerRun(2000, one) - above; n > 2 {
				t.Errorf("got %v allocations above the %v of the decoding, want 2", n, above)
			}
		})
	}
}
