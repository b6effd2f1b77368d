//go:build amd64 || arm64 || arm || riscv64 || loong64 || ppc64le

package wire_test

import (
	"crypto/tls"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestASocketSaysWhetherItTakesSomething, where it can be asked.
func TestASocketSaysWhetherItTakesSomething(t *testing.T) {
	for name, wrap := range map[string]wrapping{"plain": bare, "TLS": secured} {
		t.Run(name, func(t *testing.T) {
			below, server := tcpPair(t)
			must(t, server.(*net.TCPConn).SetWriteBuffer(64<<10))
			client, server := wrap(t, below.Conn(), server)
			cfg := limits()
			cfg.OutboxBytes = 0
			r := start(t, wsxtest.NewClient(t, client), server, cfg, &recorder{})
			if secure, ok := client.(*tls.Conn); ok {
				must(t, secure.HandshakeContext(t.Context()))
			}
			want(t, "in the beginning", wire.Takes(r.Conn), true)
			must(t, r.Send(ws.Binary, make([]byte, 32<<20)))
			eventually(t, "it goes on taking what nobody reads", func() bool { return !wire.Takes(r.Conn) })
			go func() { _, _ = io.Copy(io.Discard, client) }()
			must(t, r.Flush(t.Context()))
			eventually(t, "it takes nothing", func() bool { return wire.Takes(r.Conn) })
			<-time.After(100 * time.Millisecond) // that the peer has read is long ago
			want(t, "when all was read", wire.Takes(r.Conn), true)
			r.Abort()
			r.ended(t)
			want(t, "in the end", wire.Takes(r.Conn), false)
		})
	}
	client, server := tcpPair(t)
	hidden := start(t, client, wrapped{server}, limits(), &recorder{})
	want(t, "of what is no socket", wire.Takes(hidden.Conn), false)
}

// lent is a connection in place whose socket can be asked, as TLS has it.
type lent struct{ wrapped }

func (l lent) NetConn() net.Conn { return l.Conn }

// onSockets runs f with what makes of a socket that of a connection: one that is detached, or one in place.
func onSockets(t *testing.T, f func(t *testing.T, of func(net.Conn) net.Conn)) {
	t.Run("detached", func(t *testing.T) { f(t, func(nc net.Conn) net.Conn { return nc }) })
	t.Run("in place", func(t *testing.T) { f(t, func(nc net.Conn) net.Conn { return lent{wrapped{nc}} }) })
}

// TestInputIsNoRoom: a peer that sends and does not read is not taken for one that reads.
func TestInputIsNoRoom(t *testing.T) {
	onSockets(t, func(t *testing.T, of func(net.Conn) net.Conn) {
		client, c, took := unread(t, of)
		must(t, client.Raw(text("x")))
		eventually(t, "it goes on taking what nobody reads", func() bool { return !took(64<<10) && !wire.Takes(c) })
	})
}

// TestWhoReadsIsNoRefusal: to poll(2) a socket takes something when a third of its buffer is free. A peer that reads is
// seen before that, as long as it does.
func TestWhoReadsIsNoRefusal(t *testing.T) {
	onSockets(t, func(t *testing.T, of func(net.Conn) net.Conn) {
		client, c, took := unread(t, of)
		eventually(t, "it goes on taking what nobody reads", func() bool { return !took(64<<10) && !wire.Reads(c) })
		eventually(t, "it takes nothing", func() bool {
			_, err := io.ReadFull(client.Conn(), make([]byte, 16<<10))
			must(t, err)
			return took(1)
		})
		want(t, "of one that has just taken a byte", wire.Reads(c), true)
		eventually(t, "it is believed for ever", func() bool { return !took(64<<10) && !wire.Reads(c) })
	})
}

// TestWhoHasStoppedIsNotBelieved: a peer that has stopped reading before anybody looks is not taken for one that
// reads, although it has acknowledged much in its time. A probe of its window may come in between, but not each time.
func TestWhoHasStoppedIsNotBelieved(t *testing.T) {
	onSockets(t, func(t *testing.T, of func(net.Conn) net.Conn) {
		eventually(t, "it is taken for one that reads", func() bool {
			_, c, took := unread(t, of)
			for range 2 { // the peer acknowledges the last of what it has room for 40 ms later
				eventually(t, "it goes on taking what nobody reads", func() bool { return !took(64 << 10) })
				<-time.After(70 * time.Millisecond)
			}
			return !took(64<<10) && !wire.Reads(c)
		})
	})
}

// unread returns a connection on TCP that does not run, and what gives its socket so many bytes: false means that it
// took none.
func unread(t *testing.T, of func(net.Conn) net.Conn) (client *wsxtest.Client, c *wire.Conn, took func(n int) bool) {
	t.Helper()
	client, server := tcpPair(t)
	must(t, server.(*net.TCPConn).SetWriteBuffer(1<<20))
	same, err := server.(*net.TCPConn).File()
	must(t, err)
	c = wire.New(of(server), wire.NewEngine(limits()), &recorder{over: make(chan struct{})})
	t.Cleanup(func() {
		_ = same.Close()
		c.Abort()
		c.Run()
	})
	return client, c, func(n int) bool {
		n, err := syscall.SendmsgN(int(same.Fd()), make([]byte, n), nil, nil, syscall.MSG_DONTWAIT)
		return err == nil && n > 0
	}
}

// TestALateReaderSeesTheClose: a peer that has closed and goes on sending, but reads late, gets everything all the
// same.
func TestALateReaderSeesTheClose(t *testing.T) {
	onSockets(t, func(t *testing.T, of func(net.Conn) net.Conn) {
		t.Parallel()
		const messages = 12
		client, server := tcpPair(t)
		must(t, client.Conn().(*net.TCPConn).SetReadBuffer(16<<10))
		must(t, server.(*net.TCPConn).SetWriteBuffer(2<<20))
		r := start(t, client, of(server), limits(), &recorder{})
		for range messages {
			must(t, r.Send(ws.Binary, pattern(64<<10)))
		}
		must(t, r.Flush(t.Context()))
		client.SendClose(ws.StatusNormalClosure, "")
		<-time.After(800 * time.Millisecond)
		must(t, client.Raw(pong("late")))
		got := hear(t, client)
		want(t, "messages", len(got.messages), messages)
		want(t, "close frame", got.close != nil, true)
	})
}

// TestWithoutACloseTimeoutNobodyLingersForEver: a peer that has closed and never reads has its 500 ms.
func TestWithoutACloseTimeoutNobodyLingersForEver(t *testing.T) {
	onSockets(t, func(t *testing.T, of func(net.Conn) net.Conn) {
		t.Parallel()
		client, server := tcpPair(t)
		must(t, client.Conn().(*net.TCPConn).SetReadBuffer(16<<10))
		must(t, server.(*net.TCPConn).SetWriteBuffer(2<<20))
		cfg := limits()
		cfg.CloseTimeout = 0
		r := start(t, client, of(server), cfg, &recorder{})
		for range 12 {
			must(t, r.Send(ws.Binary, pattern(64<<10)))
		}
		must(t, r.Flush(t.Context()))
		client.SendClose(ws.StatusNormalClosure, "")
		r.ended(t)
	})
}
