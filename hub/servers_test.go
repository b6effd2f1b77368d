package hub_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// TestTwoServersOneStore has a device go to and fro between two servers: each goes on where the other one's messages
// end, though it remembers the device. While it cannot know where that is, it takes nothing.
func TestTwoServersOneStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stored, away := uint64(0), false
		resume := hub.Config{
			Ack: hub.AckResume, Batch: batch.Config{OnPoison: batch.Hold},
			Position: func(context.Context, string) (uint64, bool, error) {
				if away {
					return 0, false, errors.New("the store is away")
				}
				return stored, stored > 0, nil
			},
		}
		store := func(_ context.Context, b *hub.Batch) error {
			for _, p := range b.Positions() {
				want(t, "first of a batch", p.First, stored+1)
				stored = p.Last
			}
			return nil
		}
		a, _ := ackHub(t, resume, store)
		b, _ := ackHub(t, resume, store)
		for visit, h := range []*hub.Hub{a, b, a, a, b} {
			d := connectDevice(t, h, "dev1")
			want(t, "next", d.hello.Next, uint64(1+10*visit))
			want(t, "resumed", d.hello.Resumed, visit > 0)
			d.send(1, 10)
			d.wantAck(uint64(10 * (visit + 1)))
			d.Close()
			d.gone()
		}
		away = true
		r := asSubject("dev1")
		r.Subprotocol = hub.AckProtocol
		_, err := begin(t, a, r).Read()
		want(t, "with the store away", ws.StatusOf(err), ws.StatusTryAgainLater)
	})
}
