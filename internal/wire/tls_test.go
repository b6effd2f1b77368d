package wire_test

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// encrypted runs f in a bubble with a connection over TLS, in memory, where a write waits for the peer to read.
func encrypted(t *testing.T, f func(client *tls.Conn, r *rig)) {
	trusts, has := certified(t)
	trusts.MaxVersion = tls.VersionTLS12 // later ones encrypt the type of a record
	synctest.Test(t, func(t *testing.T) {
		below, server := wsxtest.Pipe(t)
		cfg := limits()
		cfg.CloseTimeout = 2 * time.Second
		socket := &halved{Conn: server}
		r := start(t, below, tls.Server(socket, has), cfg, &recorder{})
		client := tls.Client(below.Conn(), trusts)
		must(t, client.HandshakeContext(t.Context()))
		f(client, r)
		want(t, "times that the socket was closed", socket.closed.Load(), 1)
	})
}

// halved is a connection in memory that can end its sending half.
type halved struct {
	net.Conn
	ended, closed atomic.Int32
}

func (h *halved) Write(p []byte) (int, error) {
	if h.ended.Load() > 0 {
		return 0, io.ErrClosedPipe
	}
	return h.Conn.Write(p)
}

// CloseWrite ends what is being written too.
func (h *halved) CloseWrite() error {
	h.ended.Add(1)
	return h.SetWriteDeadline(time.Now())
}

// SetWriteDeadline sets none that is later once that is over.
func (h *halved) SetWriteDeadline(at time.Time) error {
	if h.ended.Load() > 0 {
		at = time.Now()
	}
	return h.Conn.SetWriteDeadline(at)
}

func (h *halved) Close() error {
	h.closed.Add(1)
	return h.Conn.Close()
}

// TestCutsDoNotWaitForTLS: which would say goodbye first, for 5 s where nobody reads.
func TestCutsDoNotWaitForTLS(t *testing.T) {
	const frame = 4 // bytes of a close frame
	for name, row := range map[string]struct {
		cut   func(*rig)
		reads int
		after time.Duration
	}{
		"the write deadline": {func(r *rig) { must(t, r.Send(ws.Text, []byte("never read"))) }, 0, 10 * time.Second},
		"abort":              {func(r *rig) { r.Abort() }, 0, 0},
		"the close timeout":  {func(r *rig) { _ = r.Close(ws.StatusNormalClosure, "") }, 0, 2 * time.Second},
		"in the goodbye":     {func(r *rig) { _ = r.Close(ws.StatusNormalClosure, "") }, frame, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			encrypted(t, func(client *tls.Conn, r *rig) {
				begun := time.Now()
				row.cut(r)
				_, err := io.ReadFull(client, make([]byte, row.reads))
				must(t, err)
				r.ended(t)
				want(t, "time until the end", time.Since(begun), row.after)
			})
		})
	}
}

// TestGoodbyeOfTLS: a peer that hangs up politely is answered so, behind what it has yet to be sent.
func TestGoodbyeOfTLS(t *testing.T) {
	const record, alert = 5, 21 // the length of a header, and the first byte of an alert
	encrypted(t, func(client *tls.Conn, r *rig) {
		r.handler.onMessage = func(c *wire.Conn, m ws.MessageType, payload []byte) { _ = c.Send(m, payload) }
		_, err := client.Write(text("hello"))
		must(t, err)
		must(t, client.CloseWrite())
		_, err = io.ReadFull(client, make([]byte, len("hello")+2))
		must(t, err)
		last, err := io.ReadAll(client.NetConn())
		must(t, err)
		if len(last) < record || last[0] != alert {
			t.Errorf("the last that came is % x, want an alert", last)
		}
		r.ended(t)
	})
}
