package main

import (
	"slices"
	"sync"
	"time"
)

// lastMessages is how many messages a room keeps for those who come later.
const lastMessages = 50

// message is what somebody has said, to a room or to a person.
type message struct {
	// Key is of the sender's making: From and Key together name the message, wherever and how often it turns up.
	Key string `json:"key"`
	// At is when it was said, in microseconds since 1970, or a few later where two would be equal: it orders the
	// messages of a room, also across restarts.
	At   int64  `json:"at"`
	Room string `json:"room,omitempty"`
	To   string `json:"to,omitempty"`
	From string `json:"from"`
	Text string `json:"text"`
}

// room keeps the last messages. Methods may be called at once.
type room struct {
	name string

	mu   sync.Mutex
	last []message // the newest at the end
	at   int64

	telling sync.Mutex // one list of who is here at a time, so that the newest is the last to arrive
	changed bool       // guarded by mu: a list is about to go out
}

// add keeps m, dated, and returns it. False: it was said before, by a client that could not know; then it returns what
// was kept.
func (r *room) add(m message, now time.Time) (message, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	same := func(old message) bool { return old.Key == m.Key && old.From == m.From }
	if i := slices.IndexFunc(r.last, same); i >= 0 {
		return r.last[i], false
	}
	r.at = max(now.UnixMicro(), r.at+1)
	m.At = r.at
	if len(r.last) == lastMessages {
		copy(r.last, r.last[1:])
		r.last = r.last[:lastMessages-1]
	}
	r.last = append(r.last, m)
	return m, true
}

// history returns the last messages, the newest at the end; never nil.
func (r *room) history() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]message{}, r.last...)
}

// change reports whether it is the first change since settled.
func (r *room) change() (first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first = !r.changed
	r.changed = true
	return first
}

// settled says that what changes from now on is for the next list.
func (r *room) settled() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed = false
}
