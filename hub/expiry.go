package hub

import (
	"container/heap"
	"sync"
	"time"
)

// longestNap is how long the timer of [expiries] runs at most: an expiry is a time of the wall clock, which may be set.
const longestNap = time.Minute

// expiries are the connections that end at a time: one heap and one timer for all of a hub, and neither costs anything
// while no token has an end. No lock is held when a connection is told.
type expiries struct {
	mu     sync.Mutex
	heap   expiryHeap
	timer  *time.Timer
	closed bool
	turns  sync.WaitGroup
}

// set makes the connection end at a time; zero: never. What was set before does not count any more.
func (x *expiries) set(l *login, at time.Time) {
	if at.IsZero() {
		x.remove(l)
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return
	}
	l.end = at
	if l.place > 0 {
		heap.Fix(&x.heap, l.place-1)
	} else {
		heap.Push(&x.heap, l)
	}
	if x.heap[0] == l {
		x.armLocked()
	}
}

// remove takes the connection out, if it is there.
func (x *expiries) remove(l *login) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if l.place > 0 {
		heap.Remove(&x.heap, l.place-1)
	}
	if len(x.heap) == 0 && x.timer != nil {
		x.timer.Stop()
	}
}

func (x *expiries) armLocked() {
	wait := min(max(0, time.Until(x.heap[0].end)), longestNap)
	if x.timer == nil {
		x.timer = time.AfterFunc(wait, x.turn)
		return
	}
	x.timer.Reset(wait)
}

// turn is what the timer calls.
func (x *expiries) turn() {
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return
	}
	x.turns.Add(1)
	defer x.turns.Done()
	var due []*login
	for now := time.Now(); len(x.heap) > 0 && !now.Before(x.heap[0].end); {
		due = append(due, heap.Pop(&x.heap).(*login))
	}
	if len(x.heap) > 0 {
		x.armLocked()
	}
	x.mu.Unlock()
	for _, l := range due {
		l.conn.expire()
	}
}

// close forgets everybody, and waits for a turn that is under way.
func (x *expiries) close() {
	x.mu.Lock()
	x.closed = true
	if x.timer != nil {
		x.timer.Stop()
	}
	for len(x.heap) > 0 {
		heap.Pop(&x.heap)
	}
	x.mu.Unlock()
	x.turns.Wait()
}

// expiryHeap is the heap of package container/heap, the next to end first.
type expiryHeap []*login

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].end.Before(h[j].end) }

func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i+1, j+1
}

// Push implements [heap.Interface].
func (h *expiryHeap) Push(l any) {
	*h = append(*h, l.(*login))
	l.(*login).place = len(*h)
}

// Pop implements [heap.Interface].
func (h *expiryHeap) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last], *h = nil, (*h)[:last]
	l.place = 0
	return l
}
