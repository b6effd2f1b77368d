package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// lookAtHost is the time between two looks at what the host has taken.
const lookAtHost = window / 10

// host tells when a virtual machine's host has taken time from one of its processors for something else, which is what
// the kernel counts as stolen: in steps of 10 ms, and never on a machine of its own.
type host struct {
	processors []int
	stat       *os.File      // nil: the kernel does not tell
	text       [1 << 10]byte // the processors come first
	ticks      uint64        // when it was last looked at
	next       time.Time     // when it is to be looked at again
	took       []time.Time   // when it was seen to have taken some
}

func watchHost(processors ...int) host {
	h := host{processors: processors}
	h.stat, _ = os.Open("/proc/stat")
	h.ticks = h.stolen()
	return h
}

// look notes whether the host has taken time since the last look; not at each call.
func (h *host) look(now time.Time) {
	if now.Before(h.next) {
		return
	}
	h.next = now.Add(lookAtHost)
	if ticks := h.stolen(); ticks != h.ticks {
		h.ticks = ticks
		h.took = append(h.took, now)
	}
}

// stolen returns the ticks that the host has taken from the processors.
func (h *host) stolen() uint64 {
	if h.stat == nil {
		return 0
	}
	n, _ := h.stat.ReadAt(h.text[:], 0)
	return stolenOf(string(h.text[:n]), h.processors)
}

// stolenOf sums what the lines of the processors in /proc/stat have in the column for that.
func stolenOf(stat string, processors []int) (ticks uint64) {
	const column = 8
	for line := range strings.Lines(stat) {
		fields := strings.Fields(line)
		if len(fields) > column && slices.ContainsFunc(processors, func(n int) bool { return fields[0] == fmt.Sprint("cpu", n) }) {
			n, _ := strconv.ParseUint(fields[column], 10, 64)
			ticks += n
		}
	}
	return ticks
}
