package wire_test

import (
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// TestViolationOfAPeerThatOnlyWrites: much waits for a peer that breaks the protocol and goes on writing before it
// reads. It still gets all of it, and the close frame.
func TestViolationOfAPeerThatOnlyWrites(t *testing.T) {
	const messages = 12
	cfg := limits()
	cfg.OutboxBytes, cfg.OutboxMessages = 0, 0
	r := dialed(t, cfg, &recorder{})
	for range messages {
		must(t, r.Send(ws.Binary, pattern(1<<20)))
	}
	begun := time.Now()
	must(t, r.client.Raw([]byte{0x83, 0x80, 0, 0, 0, 0})) // a reserved opcode
	for range 32 {
		must(t, r.client.Raw(wire.AppendHeader(pattern(1<<20), true, wire.OpBinary, 0, nil)))
	}
	got := hear(t, r.client)
	want(t, "messages", len(got.messages), messages)
	want(t, "close frame", got.close.Status, ws.StatusProtocolError)
	must(t, r.client.Conn().Close())
	r.ended(t)
	if waited := time.Since(begun); waited > 4*time.Second {
		t.Errorf("it took %v", waited)
	}
}

// TestAPeerThatHangsUpIsNotWaitedFor: little that nobody reads may lie before the end of one that broke the protocol.
func TestAPeerThatHangsUpIsNotWaitedFor(t *testing.T) {
	for name, end := range map[string]func(*rig, *net.TCPConn) error{
		"close":      func(_ *rig, c *net.TCPConn) error { return c.Close() },
		"half-close": func(_ *rig, c *net.TCPConn) error { return c.CloseWrite() },
		"reset": func(_ *rig, c *net.TCPConn) error {
			return errors.Join(c.SetLinger(0), c.Close())
		},
		"abort": func(r *rig, _ *net.TCPConn) error { r.Abort(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := limits()
			cfg.CloseTimeout = time.Hour
			r := dialed(t, cfg, &recorder{})
			must(t, r.client.Raw([]byte{0x83, 0x80, 0, 0, 0, 0})) // a reserved opcode
			want(t, "close frame", hear(t, r.client).close.Status, ws.StatusProtocolError)
			must(t, r.client.Raw(ping("little")))
			must(t, end(r, r.client.Conn().(*net.TCPConn)))
			r.ended(t)
		})
	}
}

// TestViolationOfALateReader: one that takes its messages late is read on as long, once the close frame is out.
func TestViolationOfALateReader(t *testing.T) {
	const ms = time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.CloseTimeout = time.Hour
		r := piped(t, cfg, &recorder{})
		begun := time.Now()
		must(t, r.Send(ws.Binary, pattern(60<<10)))
		must(t, r.client.Raw([]byte{0x83, 0x80, 0, 0, 0, 0})) // a reserved opcode
		var writing sync.WaitGroup
		defer writing.Wait()
		writing.Go(func() {
			for r.client.Raw(ping("on its way")) == nil {
				time.Sleep(40 * ms)
			}
		})
		time.Sleep(600 * ms)
		for _, op := range []wire.Opcode{wire.OpBinary, wire.OpClose} {
			f, err := r.client.ReadFrame()
			must(t, err)
			want(t, "opcode", f.Op, op)
		}
		r.ended(t)
		want(t, "took", time.Since(begun), 1100*ms)
	})
}

// TestViolationOverAPipe: a connection that cannot be half closed takes what a peer that broke the protocol was about
// to write, and is not held for one that never hangs up.
func TestViolationOverAPipe(t *testing.T) {
	const ms = time.Millisecond
	violation := []byte{0x83, 0x80, 0, 0, 0, 0} // a reserved opcode
	every := func(d time.Duration) func(r *rig) {
		return func(r *rig) {
			for r.client.Raw(ping("on its way")) == nil {
				time.Sleep(d)
			}
		}
	}
	for name, tt := range map[string]struct {
		sends   []byte
		then    func(r *rig)
		timeout time.Duration
		took    time.Duration
	}{
		"silent":                   {violation, func(*rig) {}, time.Hour, 50 * ms},
		"once more":                {violation, func(r *rig) { time.Sleep(20 * ms); _ = r.client.Raw(ping("on its way")) }, time.Hour, 70 * ms},
		"again and again":          {violation, every(40 * ms), time.Hour, 500 * ms},
		"again, but too late":      {violation, every(60 * ms), time.Hour, 50 * ms},
		"hangs up":                 {violation, func(r *rig) { time.Sleep(20 * ms); _ = r.client.Conn().Close() }, time.Hour, 20 * ms},
		"until the close timeout":  {violation, func(*rig) {}, 10 * ms, 10 * ms},
		"in order: nothing is due": {bye(ws.StatusNormalClosure, ""), func(*rig) {}, time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := limits()
				cfg.CloseTimeout = tt.timeout
				r := piped(t, cfg, &recorder{})
				begun := time.Now()
				must(t, r.client.Raw(tt.sends))
				f, err := r.client.ReadFrame()
				must(t, err)
				want(t, "answer", f.Op, wire.OpClose)
				synctest.Wait()
				var writing sync.WaitGroup
				defer writing.Wait()
				writing.Go(func() { tt.then(r) })
				r.ended(t)
				want(t, "took", time.Since(begun), tt.took)
			})
		})
	}
}
