package hub_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
)

// refuseSecond rejects the message "2".
func refuseSecond(_ context.Context, b *hub.Batch) error {
	for i, it := range b.All() {
		if it.Message.Text() == "2" {
			b.Reject(i, nil)
		}
	}
	return nil
}

// TestNackIsToldAgain: a client that may not have got a nack gets it over each later connection, until it has sent
// something over one: then it has read the hello, and all in front of that.
func TestNackIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := ackHub(t, hub.Config{}, refuseSecond)
		reconnect := func() *device {
			r := asSubject("dev1")
			r.Subprotocol = hub.AckProtocol
			return &device{session: begin(t, h, r)}
		}
		leave := func(d *device) {
			_ = d.Conn().Close()
			d.gone()
		}
		d := connectDevice(t, h, "dev1")
		d.send(1, 2)
		d.sync()
		leave(d) // without having read a nack
		for _, sends := range []bool{false, false, true} {
			d := reconnect()
			synctest.Wait()
			if sends {
				want(t, "first words", d.note(), note{WSX: "nack", Seq: 2, Code: "rejected"})
				want(t, "next", d.note().Next, 3)
				d.send(3, 3)
				d.wantAck(3)
			}
			leave(d)
		}
		d = reconnect()
		hello := d.note()
		if hello.WSX != "hello" || hello.Next != 4 {
			t.Errorf("got %+v, want the hello", hello)
		}
	})
}

// TestNacksOfAWindowAreToldAgain: all that a client which heeds its window may not have got, however large that is.
func TestNacksOfAWindowAreToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const window = 2500
		cfg := hub.Config{MaxUnsettled: window, BatchPer: hub.PerConn, Batch: batch.Config{MaxItems: window}}
		h, _ := ackHub(t, cfg, func(_ context.Context, b *hub.Batch) error {
			for i := range b.All() {
				b.Reject(i, nil)
			}
			return nil
		})
		d := connectDevice(t, h, "dev1")
		d.send(1, window)
		synctest.Wait()
		_ = d.Conn().Close() // it has read none of them
		d.gone()
		r := asSubject("dev1")
		r.Subprotocol = hub.AckProtocol
		d = &device{session: begin(t, h, r)}
		nacks := 0
		for d.note().WSX == "nack" {
			nacks++
		}
		want(t, "nacks in front of the hello", nacks, window)
	})
}
