package wire

// feed gives a detached socket what waits and could still be dropped, a small chunk at most, and reports whether the
// socket has taken all of it. What it does not take stays in the queue, where it can be dropped or replaced until the
// socket is ready for it: only a message that is written in part is in hand afterwards. It is called by the writer,
// while nothing else is to be written.
func (o *outbox) feed() (all bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.load
	if o.broken || l.hand.data != nil || len(l.control) > 0 {
		return false
	}
	k := l.head()
	if k == nil || k.terms == nil {
		return false
	}
	l.settle() // what nobody has kicked yet
	if k.raw {
		l.takeNext() // it is compressed for good
		return l.took(o.conn.trySend(l.hand.data))
	}
	p, several := l.offered()
	n := o.conn.trySend(p)
	several.release()
	all = n == len(p)
	for n > 0 && l.head() != nil {
		l.takeWithin(n)
		part := min(n, len(l.hand.data))
		n -= part
		all = l.took(part) && all
	}
	return all
}

// took notes what a detached socket has taken of the hand, and reports whether that is empty.
func (l *load) took(n int) bool {
	if n > 0 {
		l.progresses()
		l.signal()
	}
	return l.wrote(n)
}

// offered returns what lies at the start of the queue, whose head could still be dropped: a small chunk, or a part of
// one long message. The chunk holds it, where it had to be copied.
func (l *load) offered() (p []byte, several chunk) {
	k := &l.queue[0]
	if k.marked() {
		return k.data[:frameLens(k.data, k.within(smallChunk))], chunk{}
	}
	end, total := 1, len(k.data)
	for ; end < len(l.queue); end++ {
		next := &l.queue[end]
		if next.data != nil && (!next.loose() || next.raw || total+len(next.data) > smallChunk) {
			break
		}
		total += len(next.data)
	}
	if total == len(k.data) {
		return k.data[:min(total, maxWrite)], chunk{}
	}
	several = newChunk(total)
	for i := range l.queue[:end] {
		several.data = append(several.data, l.queue[i].data...)
	}
	return several.data, several
}
