package wire_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// wrapping is what a connection is driven through: it returns both ends of what it makes of both ends of a socket.
type wrapping func(t testing.TB, client, server net.Conn) (_, _ net.Conn)

// bare leaves the socket as it is, so that it is detached.
func bare(_ testing.TB, client, server net.Conn) (_, _ net.Conn) { return client, server }

// secured makes a TLS connection, which is driven in place.
func secured(t testing.TB, client, server net.Conn) (_, _ net.Conn) {
	t.Helper()
	trusts, has := certified(t)
	return tls.Client(client, trusts), tls.Server(server, has)
}

// certified returns what a client of TLS and its server are configured with.
func certified(t testing.TB) (client, server *tls.Config) {
	t.Helper()
	authority := httptest.NewTLSServer(nil)
	t.Cleanup(authority.Close)
	client = authority.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	client.ServerName = "example.com"
	return client, authority.TLS
}

// TestOneMessageInHand sends messages of 500 keys over and over to a peer that reads in gulps: what waits is the latest
// of each key, and the one message that is written in part.
func TestOneMessageInHand(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only on Linux a socket is asked whether it takes something")
	}
	for name, wrap := range map[string]wrapping{"detached": bare, "TLS": secured} {
		t.Run(name, func(t *testing.T) { testHand(t, wrap) })
	}
}

func testHand(t *testing.T, wrap wrapping) {
	const keys, rounds, gulp = 500, 12, 16 << 10 // a quarter of what waits
	end, server := tcpPair(t)
	must(t, server.(*net.TCPConn).SetWriteBuffer(16<<10))
	must(t, end.Conn().(*net.TCPConn).SetReadBuffer(16<<10))
	must(t, end.Conn().SetDeadline(time.Now().Add(time.Minute)))
	client, server := wrap(t, end.Conn(), server)
	r := start(t, end, server, wire.Config{OutboxMessages: -1}, &recorder{})
	if s, ok := client.(*tls.Conn); ok {
		must(t, s.Handshake())
	}
	sendAll := func() {
		for k := range keys {
			must(t, r.SendMarked(ws.Binary, make([]byte, 100), wire.Mark{Policy: wire.PolicyConflate, Key: strconv.Itoa(k)}))
		}
	}
	for sendAll(); r.stuckAt() == 0; sendAll() {
	}
	for range rounds {
		sendAll()
		r.wantWaiting(t, keys+1)
		_, err := io.ReadFull(client, make([]byte, gulp))
		must(t, err)
		r.stuckAt()
	}
}

// stuckAt waits until nothing waits, or the socket has taken nothing for 50 ms, and returns how many messages wait.
func (r *rig) stuckAt() (waiting int) {
	since := time.Now()
	for waiting, _ = r.Buffered(); waiting > 0 && time.Since(since) < 50*time.Millisecond; runtime.Gosched() {
		if now, _ := r.Buffered(); now != waiting {
			waiting, since = now, time.Now()
		}
	}
	return waiting
}

// wantWaiting wants at most so many messages to wait, in time: the socket may still be taking others.
func (r *rig) wantWaiting(t *testing.T, most int) {
	t.Helper()
	for begun := time.Now(); ; runtime.Gosched() {
		switch waiting, _ := r.Buffered(); {
		case waiting <= most:
			return
		case time.Since(begun) > 2*time.Second:
			t.Fatalf("%d messages wait, want %d at most", waiting, most)
		}
	}
}
