package wire

import "time"

// corkAge is how long a reply may wait for those of the next frames: nobody knows which handler will block.
const corkAge = time.Millisecond

// cork says whether answers are to be collected from now on. What was collected goes out with the next message, with
// uncork, or after corkAge.
func (o *outbox) cork(on bool) {
	o.mu.Lock()
	o.corked = on
	o.mu.Unlock()
}

// uncork writes what was collected.
func (o *outbox) uncork() {
	o.mu.Lock()
	o.corked = false
	o.writeLocked()
	o.mu.Unlock()
}

// pop writes what was collected for long enough, and lets the collecting go on.
func (o *outbox) pop() {
	o.mu.Lock()
	o.watched = false
	o.writeLocked()
	o.mu.Unlock()
}

// flush writes what the socket takes at once.
func (o *outbox) flush() {
	o.mu.Lock()
	o.writeLocked()
	o.mu.Unlock()
}

// kickLocked sees to it that what was queued goes out: now, or together with what follows.
func (o *outbox) kickLocked() {
	switch {
	case !o.corked:
		o.writeLocked()
	case !o.watched:
		o.watched = true
		o.conn.engine.corks.Add(o)
	}
}

// writeLocked writes what the socket takes at once, and leaves the rest to a writer.
func (o *outbox) writeLocked() {
	l := o.load
	if l == nil || o.broken {
		return
	}
	if l.writing {
		l.settle()
		return
	}
	for left := o.conn.engine.piece(); left > 0 && o.conn.detached && l.take(); {
		n := o.conn.trySend(l.hand.data[l.written:])
		if left -= n; !l.wrote(n) {
			break
		}
	}
	if l.empty() {
		o.unloadLocked()
		return
	}
	l.putBack()
	l.writing = true
	l.progresses()
	l.settle()
	if o.fullLocked(1) {
		o.loosenLocked()
	}
	o.conn.writers.Add(1)
	go l.run()
}

// next returns what the writer has to write; nil when it has to end. What it had in hand and cannot send any more is
// counted as dropped. drained says that the outbox was at a limit, and is empty now.
func (o *outbox) next() (p []byte, dropped int, drained bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.load
	l.settle() // what nobody has kicked yet
	if !o.broken && l.take() {
		return l.hand.data[l.written:], 0, false
	}
	drained, l.loose.filled = l.loose.filled && !o.broken && !o.sealed, false
	dropped = l.abandon()
	l.writing = false
	l.signal()
	o.unloadLocked()
	return nil, dropped, drained
}

// wrote notes the writer's progress.
func (o *outbox) wrote(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n > 0 {
		o.load.progresses()
	}
	if o.load.wrote(n) {
		o.load.signal()
	}
}

// yields notes that the writer lets others go first, or that it goes on. How long that takes says nothing of the
// socket, but how long that had refused before still counts.
func (o *outbox) yields(on bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l, now := o.load, time.Now()
	if on {
		l.yielded = now
	} else {
		l.progress, l.yielded = l.progress.Add(now.Sub(l.yielded)), time.Time{}
	}
	l.declare()
}

// giveUp says that what the writer has in hand cannot be written, and returns how many messages that are.
func (o *outbox) giveUp() (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.load.abandon()
}

// watch writes what the socket takes. It returns a channel that is closed at the next progress, or nil when there is
// nothing to wait for. stuck is how long the writer has been waiting for the socket.
func (o *outbox) watch() (moved <-chan struct{}, stuck time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writeLocked()
	l := o.load
	if l == nil || !l.writing || o.broken {
		return nil, 0
	}
	if l.moved == nil {
		l.moved = make(chan struct{})
	}
	return l.moved, l.stuck()
}
