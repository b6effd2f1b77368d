package hub_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/fiberwsx/wsx/hub"
)

// note is what wsx tells a client of its messages.
type note struct {
	WSX         string `json:"wsx"`
	Stream      string `json:"stream"`
	Epoch       uint64 `json:"epoch"`
	Resumed     bool   `json:"resumed"`
	Next        uint64 `json:"next"`
	Window      int    `json:"window"`
	WindowBytes int    `json:"window_bytes"`
	Seq         uint64 `json:"seq"`
	Code        string `json:"code"`
	Retry       bool   `json:"retry"`
	AfterMS     int    `json:"after_ms"`
}

// device is a client that has asked for acks.
type device struct {
	*session
	hello note
}

// connectDevice connects, and reads the hello.
func connectDevice(t *testing.T, h *hub.Hub, name string) *device {
	t.Helper()
	r := asSubject(name)
	r.Subprotocol = hub.AckProtocol
	d := &device{session: begin(t, h, r)}
	d.hello = d.note()
	if d.hello.WSX != "hello" || d.hello.Stream != cmp.Or(name, d.hello.Stream) {
		t.Fatalf("got %+v, want the hello of %q", d.hello, name)
	}
	d.find()
	return d
}

func (d *device) note() (n note) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(d.ReadText()), &n); err != nil {
		d.t.Fatal(err)
	}
	return n
}

// wantAck reads acks up to a number, and nothing else.
func (d *device) wantAck(number uint64) {
	d.t.Helper()
	for last := uint64(0); last < number; {
		n := d.note()
		if n.WSX != "ack" || n.Seq <= last || n.Seq > number {
			d.t.Fatalf("got %+v, want an ack up to %d", n, number)
		}
		last = n.Seq
	}
}

// send sends messages with these numbers.
func (d *device) send(first, last int) {
	d.t.Helper()
	for i := first; i <= last; i++ {
		d.SendText(fmt.Sprint(i))
	}
}

// ackHub returns a hub whose batches are stored, and the store.
func ackHub(t *testing.T, cfg hub.Config, before func(ctx context.Context, b *hub.Batch) error) (*hub.Hub, *store) {
	st := newStore(before)
	cfg.OnBatch, cfg.Ack = st.handle, max(cfg.Ack, hub.AckBatch)
	return newHub(t, cfg), st
}
