package wire

import (
	"sync"
	"time"
)

// corkAge is how long a reply may wait for those of the next frames: nobody knows which handler will block.
const corkAge = time.Millisecond

// corks watches the outboxes that collect replies. A timer runs only while there are any.
type corks struct {
	mu    sync.Mutex
	open  []*outbox
	spare []*outbox // the array of open before the last turn
	timer *time.Timer
	armed bool
}

// add has o emptied within corkAge. It is called under o.mu.
func (k *corks) add(o *outbox) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.open = append(k.open, o)
	k.armLocked()
}

func (k *corks) armLocked() {
	switch {
	case k.armed || len(k.open) == 0:
	case k.timer == nil:
		k.armed, k.timer = true, time.AfterFunc(corkAge, k.turn)
	default:
		k.armed = true
		k.timer.Reset(corkAge)
	}
}

// turn empties every outbox that was added. Those that go on collecting are added again by what they collect.
func (k *corks) turn() {
	k.mu.Lock()
	open := k.open
	k.open, k.spare = k.spare, nil
	k.mu.Unlock()
	for _, o := range open {
		o.pop()
	}
	clear(open)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spare, k.armed = open[:0], false
	k.armLocked()
}
