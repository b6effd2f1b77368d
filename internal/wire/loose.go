package wire

// loose finds its way among the chunks of a queue that are one message with a mark. A message that is dropped leaves an
// empty chunk behind, so that the others keep their places.
type loose struct {
	keys   map[string]int // the place of the message with each key
	base   int            // the place of the first chunk
	oldest int            // no chunk before this place may be dropped for others
	count  int            // of messages
	gone   int            // chunks that are empty
	raws   int            // messages that are to be compressed
	marked int            // chunks with several messages that have marks
	filled bool           // the outbox was at a limit
}

// mostGone is how many empty chunks a queue may have that has not as many others.
const mostGone = 32

// push puts a chunk at the end of the queue, and counts it.
func (l *load) push(k chunk) {
	l.messages += k.messages
	l.bytes += len(k.data)
	l.append(k)
	l.index(&k, len(l.queue)-1)
}

// index notes a chunk, which is the i-th of the queue.
func (l *load) index(k *chunk, i int) {
	switch {
	case k.marked():
		l.loose.marked++
		return
	case !k.loose():
		return
	}
	l.loose.count++
	if k.raw {
		l.loose.raws++
	}
	if m := &k.terms.mark; m.Policy == PolicyConflate {
		if l.loose.keys == nil {
			l.loose.keys = make(map[string]int)
		}
		l.loose.keys[m.Key] = l.loose.base + i
	}
}

// unindex forgets a chunk of the queue.
func (l *load) unindex(k *chunk) {
	switch {
	case k.marked():
		l.loose.marked--
		return
	case !k.loose():
		return
	}
	l.loose.count--
	if k.raw {
		l.loose.raws--
	}
	if m := &k.terms.mark; m.Policy == PolicyConflate {
		delete(l.loose.keys, m.Key)
	}
}

// pop takes the first chunk off the queue.
func (l *load) pop() chunk {
	k := l.queue[0]
	l.queue[0] = chunk{}
	l.loose.base++
	if l.queue = l.queue[1:]; len(l.queue) == 0 {
		l.restart()
	}
	l.fit()
	if k.data == nil {
		l.loose.gone--
	} else {
		l.unindex(&k)
	}
	return k
}

// remove drops the i-th chunk of the queue.
func (l *load) remove(i int) {
	k := l.queue[i]
	l.unindex(&k)
	l.queue[i] = chunk{}
	if l.loose.gone++; l.loose.gone > mostGone && l.loose.gone > len(l.queue)/2 {
		l.pack()
	}
	l.messages -= k.messages
	l.bytes -= len(k.data)
	l.release(&k)
}

// pack closes the gaps of the queue.
func (l *load) pack() {
	kept := l.queue[:0]
	for _, k := range l.queue {
		if k.data != nil {
			kept = append(kept, k)
		}
	}
	clear(l.queue[len(kept):])
	l.queue = kept
	l.fit()
	l.reindex()
}

// reindex notes all chunks of the queue anew, which has no gaps.
func (l *load) reindex() {
	clear(l.loose.keys)
	l.loose = loose{keys: l.loose.keys, filled: l.loose.filled}
	for i := range l.queue {
		l.index(&l.queue[i], i)
	}
}

// conflate removes the message with a key, and reports whether there was one.
func (l *load) conflate(key string) bool {
	place, ok := l.loose.keys[key]
	if ok {
		l.remove(place - l.loose.base)
	}
	return ok
}

// dropOldest removes the oldest message that may be dropped for others. False: there is none.
func (l *load) dropOldest() bool {
	for i := max(0, l.loose.oldest-l.loose.base); i < len(l.queue); i++ {
		if k := &l.queue[i]; k.loose() && k.terms.mark.Policy == PolicyDropOldest {
			l.loose.oldest = l.loose.base + i
			l.remove(i)
			return true
		}
	}
	l.loose.oldest = l.loose.base + len(l.queue)
	return false
}

// dropNewest removes the newest message that may be dropped at all. False: there is none.
func (l *load) dropNewest() bool {
	for i := len(l.queue) - 1; i >= 0; i-- {
		if k := &l.queue[i]; k.loose() && k.terms.mark.drops() {
			l.remove(i)
			return true
		}
	}
	return false
}

// gather adds further loose messages to the one in hand, up to most bytes in all, and compresses those that are still
// to be compressed.
func (l *load) gather(most int) {
	if !l.hand.raw && (len(l.hand.data) >= most || len(l.queue) == 0) {
		return
	}
	k := newChunk(len(l.hand.data))
	l.frame(&k, &l.hand)
	for len(l.queue) > 0 {
		next := &l.queue[0]
		if next.data != nil && (!next.loose() || len(k.data)+len(next.data) > most) {
			break
		}
		taken := l.pop()
		l.frame(&k, &taken)
	}
	l.count(&k)
	l.declare()
	l.hand = k
}

// frame appends what a loose chunk holds to another one, as it is to be sent.
func (l *load) frame(to, k *chunk) {
	before := len(to.data)
	data := k.data
	if k.raw {
		op, payload := unframe(data)
		if p := l.conn.pack(payload); p != nil {
			to.data = AppendHeader(to.data, true, op|compressed, len(p.data), nil)
			data = p.data
			defer p.Free()
		}
	}
	to.data = append(to.data, data...)
	to.messages += k.messages
	l.bytes += len(to.data) - before - len(k.data)
	l.release(k)
}
