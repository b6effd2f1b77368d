package main

import "sync"

// presence knows which devices are connected, and which of them have come or gone lately. Its methods may be called
// at once.
type presence struct {
	changed chan struct{} // has a token when take has something to tell

	mu      sync.Mutex
	devices map[string]int  // connections
	changes map[string]bool // connected or not, of those that changed since the last take
}

func newPresence() *presence {
	return &presence{
		changed: make(chan struct{}, 1),
		devices: make(map[string]int),
		changes: make(map[string]bool),
	}
}

// arrive counts a connection of a device.
func (p *presence) arrive(device string) { p.count(device, 1) }

// depart takes back what arrive counted.
func (p *presence) depart(device string) { p.count(device, -1) }

func (p *presence) count(device string, by int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.devices[device]
	after := before + by
	if after > 0 {
		p.devices[device] = after
	} else {
		delete(p.devices, device)
	}
	if (before > 0) == (after > 0) {
		return
	}
	p.changes[device] = after > 0
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// take returns what has changed since it was last called.
func (p *presence) take() map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	changes := p.changes
	p.changes = make(map[string]bool)
	return changes
}

// list returns the connected devices as a set.
func (p *presence) list() map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	set := make(map[string]bool, len(p.devices))
	for device := range p.devices {
		set[device] = true
	}
	return set
}
