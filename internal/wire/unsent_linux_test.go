package wire_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestTheKernelHoldsLittle of what a peer does not read: the rest waits in the outbox, where it counts.
func TestTheKernelHoldsLittle(t *testing.T) {
	const all, piece, most = 4 << 20, 64 << 10, 512 << 10 // most: what is on its way and what is not
	cfg := limits()
	cfg.OutboxBytes = 2 * all
	r := dialed(t, cfg, &recorder{})
	for range all / piece {
		must(t, r.Send(ws.Binary, make([]byte, piece)))
	}
	if _, waiting := r.Buffered(); waiting < all-most {
		t.Errorf("the kernel holds %d KiB for a peer that does not read", (all-waiting)>>10)
	}
	r.Abort()
	r.ended(t)
}

// TestAVerySlowReaderIsNotCut: what the kernel keeps needs longer than the write deadline to become half as much, which
// is when the poller tells.
func TestAVerySlowReaderIsNotCut(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 8 s")
	}
	t.Parallel()
	const messages, size = 6, 64 << 10
	cfg := limits()
	cfg.WriteDeadline = time.Second
	client, server := narrowPair(t)
	slow := wsxtest.NewClient(t, wsxtest.Faulty(client, wsxtest.Faults{Reading: true, Throttle: 48 << 10}))
	r := start(t, slow, server, cfg, &recorder{})
	for range messages {
		must(t, r.Send(ws.Binary, make([]byte, size)))
	}
	for i := range messages {
		if m, err := slow.Read(); err != nil || len(m.Data) != size {
			t.Fatalf("message %d has %d bytes, %v", i, len(m.Data), err)
		}
	}
	r.Abort()
	r.ended(t)
}

// TestLooksAreSpread: those who wait since the same moment look at moments of their own, and none before its time.
func TestLooksAreSpread(t *testing.T) {
	const d = 20 * time.Millisecond
	first, last := wire.Spread(d), time.Duration(0)
	for range 100 {
		look := wire.Spread(d)
		first, last = min(first, look), max(last, look)
	}
	if first < d || last >= 2*d || last-first < d/2 {
		t.Errorf("100 looks are after %v to %v, want all over %v to %v", first, last, d, 2*d)
	}
}

// narrowPair is a pair of sockets whose client holds little, so that it takes little by little, as over a network.
func narrowPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		controlled := c.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 8<<10)
		})
		return errors.Join(controlled, err)
	}}
	client, err = dialer.DialContext(t.Context(), "tcp4", ln.Addr().String())
	must(t, err)
	server, err = ln.Accept()
	must(t, err)
	t.Cleanup(func() { _ = server.Close() })
	return client, server
}
