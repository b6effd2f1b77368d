package heartbeat

import "time"

// furthest is how many ticks ahead an entry may wait. What is due later is visited too early, and listed again.
const furthest = 1 << 31

// listLocked puts e into the slot of the tick after the given time, never before the present one.
func (m *Monitor) listLocked(e *Entry, at time.Duration) {
	tick := min(max(int64((at+m.tick-1)/m.tick), m.cursor), m.cursor+furthest)
	e.due, e.slot = uint32(tick), uint16(tick%int64(len(m.slots)))
	slot := &m.slots[e.slot]
	e.prev, e.next, e.listed = nil, *slot, true
	if *slot != nil {
		(*slot).prev = e
	}
	*slot = e
	m.armLocked(tick)
}

func (m *Monitor) unlistLocked(e *Entry) {
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		m.slots[e.slot] = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	}
	e.next, e.prev, e.listed = nil, nil, false
}

// tickLocked returns the tick at which something is due for e, which is listed: it is not before the cursor.
func (m *Monitor) tickLocked(e *Entry) int64 {
	return m.cursor + int64(e.due-uint32(m.cursor))
}

// dueLocked takes the entries off the wheel for which something is due, and chains them.
func (m *Monitor) dueLocked() (first *Entry) {
	now := int64(m.elapsed() / m.tick)
	slots := int64(len(m.slots))
	for i := max(m.cursor, now-slots+1); i <= now; i++ {
		for e := m.slots[i%slots]; e != nil; {
			next := e.next
			if m.tickLocked(e) <= now {
				m.unlistLocked(e)
				e.next = first
				first = e
			}
			e = next
		}
	}
	m.cursor = max(m.cursor, now+1)
	return first
}

// nextLocked returns the first tick whose slot is not empty. What waits there may be due a turn of the wheel later.
func (m *Monitor) nextLocked() int64 {
	slots := int64(len(m.slots))
	for i := m.cursor; i < m.cursor+slots; i++ {
		if m.slots[i%slots] != nil {
			return i
		}
	}
	return m.cursor
}

// armLocked makes sure that the timer fires at that tick or before.
func (m *Monitor) armLocked(due int64) {
	if m.armed >= 0 && m.armed <= due {
		return
	}
	m.armed = due
	wait := max(0, time.Duration(due)*m.tick-m.elapsed())
	if m.timer == nil {
		m.timer = time.AfterFunc(wait, m.turn)
		return
	}
	m.timer.Reset(wait)
}
