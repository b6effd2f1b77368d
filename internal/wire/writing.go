package wire

import "time"

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
	case o.writing:
	case !o.corked:
		o.writeLocked()
	case !o.watched:
		o.watched = true
		o.corks.add(o)
	}
}

// writeLocked writes what the socket takes at once, and leaves the rest to a writer.
func (o *outbox) writeLocked() {
	if o.writing || !o.waitingLocked() {
		return
	}
	for o.socket != nil && o.takeLocked() {
		if n := o.socket.tryWrite(o.hand.data[o.written:]); !o.wroteLocked(n) {
			break
		}
	}
	if o.waitingLocked() {
		o.writing, o.progress = true, time.Now()
		o.start()
	}
}

// waitingLocked reports whether there is anything to write.
func (o *outbox) waitingLocked() bool {
	return !o.broken && (o.hand.data != nil || len(o.queue) > 0 || len(o.control) > 0 || o.closing != nil)
}

// takeLocked takes into hand what is to be written next. False: there is nothing.
func (o *outbox) takeLocked() bool {
	switch {
	case o.broken:
		return false
	case o.hand.data != nil:
	case len(o.control) > 0:
		o.hand.data, o.control = o.control, nil
	case len(o.queue) > 0:
		o.hand = o.queue[0]
		o.queue[0] = chunk{}
		if o.queue = o.queue[1:]; len(o.queue) == 0 {
			o.queue = o.first[:0]
		}
	case o.closing != nil:
		o.hand.data, o.hand.closing, o.closing = o.closing, true, nil
	default:
		return false
	}
	return true
}

// wroteLocked notes that the socket took n bytes, and reports whether the hand is empty.
func (o *outbox) wroteLocked(n int) bool {
	if o.written += n; o.written < len(o.hand.data) {
		return false
	}
	o.putDownLocked()
	return true
}

func (o *outbox) putDownLocked() {
	if o.hand.messages > 0 {
		o.messages -= o.hand.messages
		o.bytes -= len(o.hand.data)
	}
	o.hand.release()
	o.written = 0
}

// next returns what the writer has to write; nil when it has to end. What it had in hand and cannot send any more is
// counted as dropped.
func (o *outbox) next() (p []byte, dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.takeLocked() {
		return o.hand.data[o.written:], 0
	}
	dropped = o.hand.messages
	o.putDownLocked()
	o.writing = false
	o.movedLocked()
	return nil, dropped
}

// wrote notes the writer's progress.
func (o *outbox) wrote(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n > 0 {
		o.progress = time.Now()
	}
	if o.wroteLocked(n) {
		o.movedLocked()
	}
}

// giveUp says that what the writer has in hand cannot be written, and returns how many messages that are.
func (o *outbox) giveUp() (dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	dropped = o.hand.messages
	o.putDownLocked()
	return dropped
}

func (o *outbox) movedLocked() {
	if o.moved != nil {
		close(o.moved)
		o.moved = nil
	}
}

// watch writes what the socket takes. It returns a channel that is closed at the next progress, or nil when there is
// nothing to wait for. stuck is how long the writer has been waiting for the socket.
func (o *outbox) watch() (moved <-chan struct{}, stuck time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writeLocked()
	if !o.writing || o.broken {
		return nil, 0
	}
	if o.moved == nil {
		o.moved = make(chan struct{})
	}
	return o.moved, time.Since(o.progress)
}
