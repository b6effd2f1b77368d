package batch

// dropped is items that have made room for newer ones.
type dropped struct{ items, bytes int }

// Shed drops the oldest items that wait in the lane, until so many of them and of their bytes are gone; the newest one
// stays. It is for those who bound more than a lane, and works without Config.DropOldest too.
func (l *Lane[T]) Shed(items, bytes int) {
	l.mu.Lock()
	defer l.unlock()
	if l.fill == nil {
		return
	}
	for l.fill.Len() > 1 && (l.dropped.items < items || l.dropped.bytes < bytes) {
		l.shedLocked()
	}
}

// makeRoomLocked drops items until one more fits with so many bytes, if that is what the configuration says.
func (l *Lane[T]) makeRoomLocked(bytes int) bool {
	if !l.b.cfg.DropOldest {
		return false
	}
	for l.fill.Len() > 0 && !l.fitsLocked(bytes) {
		l.shedLocked()
	}
	return true
}

func (l *Lane[T]) shedLocked() {
	bytes := l.fill.shed()
	l.dropped.items++
	l.dropped.bytes += bytes
	l.counter.droppedItems.Add(1)
	l.counter.droppedBytes.Add(uint64(bytes))
}

// unlock unlocks mu and tells what was dropped under it.
func (l *Lane[T]) unlock() {
	d := l.dropped
	l.dropped = dropped{}
	l.mu.Unlock()
	if d.items > 0 && l.b.hooks.Dropped != nil {
		l.b.hooks.Dropped(d.items, d.bytes)
	}
}
