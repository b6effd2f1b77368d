package wire

import (
	"runtime"
	"strconv"
	"testing"
	"unsafe"
	"weak"
)

// queued returns a load with n chunks in its queue, each with terms of its own.
func queued(n int) *load {
	l := &load{conn: &Conn{engine: new(Engine)}}
	l.restart()
	for range n {
		l.push(chunk{data: someByte, messages: 1, terms: new(terms)})
	}
	return l
}

var someByte = []byte{1}

// TestTheArrayOfAQueueCounts: the chunks of a queue and their terms do, and what has gone from it leaves no array
// behind that does not, but for its first and what four chunks have.
func TestTheArrayOfAQueueCounts(t *testing.T) {
	const loads = 300
	measure := func(before, after int) (held, counted int) {
		base, all := inUse(), make([]*load, loads)
		for i := range all {
			all[i] = queued(before)
			for len(all[i].queue) > after {
				all[i].pop()
			}
			all[i].declare()
			counted += all[i].places
		}
		held = inUse() - base
		runtime.KeepAlive(all)
		return held / loads, counted / loads
	}
	empty, _ := measure(0, 0)
	for _, n := range [][2]int{{1000, 10}, {1000, 1}, {1000, 130}, {1000, 700}, {1000, 1000}, {200, 20}, {75, 5}, {38, 38}, {30, 5}} {
		if held, counted := measure(n[0], n[1]); held-empty > counted+4<<10 {
			t.Errorf("%d of %d chunks left: %d bytes, of %d without any, count for %d", n[1], n[0], held, empty, counted)
		}
	}
}

// inUse returns how many bytes are allocated and can still be reached.
func inUse() int {
	runtime.GC()
	runtime.GC() // what pools hold goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestAQueueShrinks: what was dropped leaves no long array behind.
func TestAQueueShrinks(t *testing.T) {
	l := queued(0)
	for range 1000 {
		l.push(chunk{data: someByte, messages: 1, terms: newTerms(Mark{Policy: PolicyDropOldest}, nil)})
	}
	for range 990 {
		l.dropOldest()
	}
	if cap(l.queue) > 200 || len(l.queue)-l.loose.gone != 10 {
		t.Errorf("a queue of %d, %d of them empty, has room for %d", len(l.queue), l.loose.gone, cap(l.queue))
	}
}

// TestAQueueThatWasSentShrinks: neither does what was sent.
func TestAQueueThatWasSentShrinks(t *testing.T) {
	l := queued(1000)
	for len(l.queue) > 10 {
		l.pop()
	}
	if l.declare(); l.places > 10<<10 {
		t.Errorf("10 chunks count for %d bytes", l.places)
	}
}

// TestAnEmptyQueueCountsForNothing: however it became empty.
func TestAnEmptyQueueCountsForNothing(t *testing.T) {
	for _, n := range []int{1, few, few + 1, many - 1, many, 2 * many, 1000} {
		for name, empty := range map[string]func(*load){
			"sent":    func(l *load) { l.pop() },
			"dropped": func(l *load) { l.dropNewest(); l.head() },
			"packed": func(l *load) {
				for l.dropOldest() {
				}
				l.pack()
			},
			"all dropped": func(l *load) { l.drop() },
		} {
			l := queued(0)
			for range n {
				l.push(chunk{data: someByte, messages: 1, terms: newTerms(Mark{Policy: PolicyDropOldest}, nil)})
			}
			for l.declare(); len(l.queue) > 0; {
				empty(l)
			}
			l.declare()
			if l.places != 0 || l.array > many || l.loose.gone != 0 {
				t.Errorf("%d chunks, %s: %d bytes for an array of %d", n, name, l.places, l.array)
			}
		}
	}
}

// TestAQueueKeepsNothingThatIsGone: what was sent or dropped is reachable no more, wherever the queue has been.
func TestAQueueKeepsNothingThatIsGone(t *testing.T) {
	for name, take := range map[string]func(*load){
		"sent": func(l *load) { l.pop() }, "dropped": func(l *load) { l.dropOldest() },
	} {
		l := queued(0)
		var all []weak.Pointer[[smallChunk]byte]
		for i := range 10 * many {
			data := new([smallChunk]byte)
			all = append(all, weak.Make(data))
			l.push(chunk{data: data[:], messages: 1, terms: newTerms(Mark{Policy: PolicyDropOldest}, nil)})
			if i >= few && i%3 > 0 {
				take(l)
			}
		}
		runtime.GC()
		kept := 0
		for _, p := range all {
			if p.Value() != nil {
				kept++
			}
		}
		if kept != l.chunks() {
			t.Errorf("%s: %d chunks are in the queue, %d in memory", name, l.chunks(), kept)
		}
	}
}

// TestAConflatingQueueStays: messages that take the place of others, for ever, need no new arrays.
func TestAConflatingQueueStays(t *testing.T) {
	for _, keys := range []int{1, few, 9, many - 1, many, many + 1, 100, 300} {
		l := queued(0)
		updates := 0
		update := func() {
			m := Mark{Policy: PolicyConflate, Key: strconv.Itoa(updates % keys)}
			updates++
			l.conflate(m.Key)
			l.push(chunk{data: someByte, messages: 1, terms: newTerms(m, nil)})
		}
		for range 200 + 20*keys {
			update()
		}
		array := unsafe.SliceData(l.queue)
		for range 5000 {
			update()
			if now := unsafe.SliceData(l.queue); now != array {
				t.Errorf("%d keys: a new array after %d updates", keys, updates)
				break
			}
		}
		if n := len(l.queue) - l.loose.gone; n != keys {
			t.Errorf("%d of %d keys wait", n, keys)
		}
	}
}

// TestPutBackClosesTheGaps: under a cork messages replace each other behind a round of which only a part is sent then.
func TestPutBackClosesTheGaps(t *testing.T) {
	l := queued(0)
	old, key := Mark{Policy: PolicyDropOldest}, Mark{Policy: PolicyConflate, Key: "k"}
	frames := []byte{0x81, 1, 'a', 0x81, 1, 'b', 0x81, 1, 'c'}
	l.push(chunk{data: frames, messages: 3, round: new(Round), terms: newTerms(Mark{}, []Mark{old, old, old})})
	for range 20 {
		l.conflate(key.Key)
		l.push(chunk{data: someByte, messages: 1, terms: newTerms(key, nil)})
	}
	l.hand, l.written = l.pop(), 1
	l.putBack()
	if len(l.queue) != 2 || l.loose.gone != 0 || l.hand.messages != 1 {
		t.Fatalf("a queue of %d, %d of them empty, and %d messages in hand; want 2, 0 and 1", len(l.queue), l.loose.gone, l.hand.messages)
	}
	if !l.conflate(key.Key) || l.queue[0].messages != 2 || l.queue[1].data != nil || l.loose.gone != 1 {
		t.Errorf("the message with the key is not in its place: %+v", l.queue)
	}
}
