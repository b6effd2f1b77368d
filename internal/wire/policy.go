package wire

import (
	"errors"
	"sync/atomic"
)

// Policy says what becomes of a message that finds the outbox at a limit.
type Policy uint8

// The policies. What was queued with DropOldest makes room for whatever comes.
const (
	PolicyClose      Policy = iota // the connection closes as a slow consumer
	PolicyDropNewest               // the message is dropped
	PolicyDropOldest               // the oldest that may be dropped makes room; when there is none, the message is dropped
	PolicyConflate                 // the message takes the place of the one with its key; beyond the limits as PolicyClose
)

// errDropped means that a message was dropped by its policy.
var errDropped = errors.New("wire: dropped")

// Mark says how a message is treated while it waits. The zero value is PolicyClose, and nobody counts.
type Mark struct {
	Policy Policy
	Key    string // of PolicyConflate
	Tally  *Tally
}

// plain is the mark of most messages.
var plain Mark

func (m *Mark) plain() bool { return m.Policy == PolicyClose && m.Tally == nil }

// drops reports whether the message itself may be dropped.
func (m *Mark) drops() bool { return m.Policy == PolicyDropNewest || m.Policy == PolicyDropOldest }

// Tally counts what has become of messages when they were sent. A nil one counts nothing.
type Tally struct {
	Queued    atomic.Int64 // accepted for a receiver
	Dropped   atomic.Int64 // not accepted
	Displaced atomic.Int64 // older messages that were dropped or replaced for them
}

func (t *Tally) queued(n int) {
	if t != nil {
		t.Queued.Add(int64(n))
	}
}

func (t *Tally) dropped() {
	if t != nil {
		t.Dropped.Add(1)
	}
}

func (t *Tally) displaced() {
	if t != nil {
		t.Displaced.Add(1)
	}
}

// Drainer is a Handler that wants to know when an outbox that was at a limit is empty again. It is called by the
// goroutine that has written the last of it.
type Drainer interface{ Drained() }

func (c *Conn) drained() {
	if d, ok := c.handler.(Drainer); ok {
		d.Drained()
	}
}
