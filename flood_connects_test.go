package wsx_test

import (
	"testing"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// connects are the ways in which a flood of connections can end.
var connects = []struct {
	name   string
	opened bool // comes as far as a connection
	life   func(t *testing.T, addr string)
}{
	{"clean", true, func(t *testing.T, addr string) {
		endConnect(t, addr, func(c *wsxtest.Client) { closedWith(t, c, true, opClose, []byte{3, 232}, ws.StatusNormalClosure) })
	}},
	{"reset", true, func(t *testing.T, addr string) { endConnect(t, addr, func(*wsxtest.Client) {}) }},
	{"mid-handshake", false, func(t *testing.T, addr string) { half(t, addr, handshake("/ws")[:60], true) }},
	{"mid-frame", true, func(t *testing.T, addr string) {
		endConnect(t, addr, func(c *wsxtest.Client) { _ = c.Raw(wsxtest.AppendFrame(nil, true, opText, []byte("half of it"))[:9]) })
	}},
	{"panic", true, func(t *testing.T, addr string) {
		endConnect(t, addr, func(c *wsxtest.Client) { closedWith(t, c, true, opText, []byte("panic"), ws.StatusInternalError) })
	}},
}

// endConnect connects, and resets the connection after f, so that no port stays taken.
func endConnect(t *testing.T, addr string, f func(*wsxtest.Client)) {
	if c := dialed(t, "ws://"+addr+"/ws"); c != nil {
		f(c)
		c.Reset()
	}
}

// closedWith writes a frame and expects a close frame.
func closedWith(t *testing.T, c *wsxtest.Client, fin bool, op wsxtest.Opcode, payload []byte, want ws.Status) {
	_ = c.Frame(fin, op, payload)
	if _, err := c.Read(); ws.StatusOf(err) != want {
		t.Errorf("closed with %v, want %s", err, want)
	}
}

// TestAFloodOfConnects connects in every way that a connection can end: the goroutines and descriptors are back to what
// they were, and so is the heap but for what pools keep.
func TestAFloodOfConnects(t *testing.T) {
	const warm, kept = 20, 4 << 20
	n := 2000
	if testing.Short() {
		n = 500
	}
	addr, h := serveEcho(t, wsx.Config{MaxConnsPerIP: 1000}, hub.Config{
		OnMessage: func(*hub.Conn, hub.Message) error { panic("no") },
		OnError:   func(*hub.Conn, error) {},
	})
	live := func(name string, n int) {
		t.Run(name, func(t *testing.T) { // whose end forgets the clients
			crowd(n, 16, func(i int) { connects[i%len(connects)].life(t, addr) })
			awaitOver(t, h)
		})
	}
	live("warm", warm*len(connects))
	before, held := takeBase(), heap()
	live("flood", n)
	before.await(t)
	if now := heap(); now > held+kept {
		t.Errorf("the heap grew from %d to %d KiB", held>>10, now>>10)
	}
	want := uint64(0)
	for i := range n + warm*len(connects) {
		if connects[i%len(connects)].opened {
			want++
		}
	}
	if got := h.Stats().Opened; got != want {
		t.Errorf("%d connections opened, want %d", got, want)
	}
}
