package main

import (
	"maps"
	"slices"
	"time"
)

// maxDeadLetters are kept, the newest ones: a device that sends nothing but garbage must not fill the disk.
const maxDeadLetters = 10_000

// A message is what a device has sent at once.
type message struct {
	device   string    // which is its stream, too
	number   uint64    // in the stream; 0 from a device without acks
	at       time.Time // when it was read
	readings []reading // the good ones
	reason   string    // why it is a dead letter; "" when it is none
	body     []byte    // of a dead letter
}

// outcome is what a transaction has found.
type outcome struct {
	duplicates int    // messages that were stored before
	gaps       uint64 // numbers before the messages' that nobody has stored
	buried     bool   // the message that bury got is a dead letter now
}

// streamsOf returns the streams of the messages that have numbers, sorted: transactions that lock them in this order do
// not wait for each other in a circle.
func streamsOf(messages []message) []string {
	var streams []string
	for _, m := range messages {
		if m.number > 0 {
			streams = append(streams, m.device)
		}
	}
	slices.Sort(streams)
	return slices.Compact(streams)
}

// advance compares messages with the stored positions of their streams. It returns the messages that are not stored
// yet, and the positions to store with them in the same transaction. What is at or below the stored position has come
// with an earlier commit, whose answer was lost. A stream that is not in stored begins here; what comes without a
// number always counts as new.
func advance(messages []message, stored map[string]uint64) (fresh []message, raised map[string]uint64, o outcome) {
	now := maps.Clone(stored)
	for _, m := range messages {
		if m.number > 0 {
			last, known := now[m.device]
			if !known {
				last = m.number - 1
			}
			if m.number <= last {
				o.duplicates++
				continue
			}
			o.gaps += m.number - last - 1
			now[m.device] = m.number
		}
		fresh = append(fresh, m)
	}
	maps.DeleteFunc(now, func(stream string, number uint64) bool { return number == stored[stream] })
	return fresh, now, o
}

func countReadings(messages []message) (n int) {
	for _, m := range messages {
		n += len(m.readings)
	}
	return n
}

func readingsOf(messages []message) []reading {
	all := make([]reading, 0, countReadings(messages))
	for _, m := range messages {
		all = append(all, m.readings...)
	}
	return all
}
