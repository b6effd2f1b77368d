package wsx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/deflate"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

var boundsOfTheHub = map[string]bound{
	"hub.Config.MaxRooms":                        joins(hub.Config{MaxRooms: 2}, hub.ErrTooManyRooms, "a", "b", "c"),
	"name of a room":                             joins(hub.Config{}, hub.ErrRoomName, strings.Repeat("é", 512), strings.Repeat("é", 512)+"a"),
	"requests to one connection that wait":       reachRequests,
	"revocations that a hub remembers":           reachRevocations,
	"read-ahead of OnConn":                       reachReadAhead,
	"what is inflated for nothing":               reachInflated,
	"hub.Config.Compression.ServerMaxWindowBits": agrees(hub.Compression{ServerMaxWindowBits: 10}, "server_max_window_bits=10"),
	"hub.Config.Compression.ClientMaxWindowBits": agrees(hub.Compression{ClientMaxWindowBits: 11}, "client_max_window_bits=11"),
}

// joins is a bound of rooms: a client may join all of these but the last, which is refused with that error.
func joins(cfg hub.Config, refusal error, rooms ...string) bound {
	return func(t *testing.T, on transport) {
		cfg := cfg
		cfg.OnMessage = func(c *hub.Conn, m hub.Message) error { return c.SendText(fmt.Sprint(c.Join(m.Text()))) }
		c := wsxtest.Dial(t, on.serve(t, echoHub(cfg)))
		for i, room := range rooms {
			c.SendText(room)
			if i < len(rooms)-1 {
				gets(t, c, "<nil>")
			} else {
				gets(t, c, refusal.Error())
			}
		}
	}
}

// agrees is a bound of compression: a client that offers everything is answered with what is wanted.
func agrees(cfg hub.Compression, want string) bound {
	return func(t *testing.T, on transport) {
		cfg.Enabled = true
		const offer = "permessage-deflate; server_max_window_bits=15; client_max_window_bits"
		_, resp, err := wsxtest.TryDial(t, on.serve(t, echoHub(hub.Config{Compression: cfg})),
			wsxtest.Options{Header: http.Header{"Sec-WebSocket-Extensions": {offer}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Header.Get("Sec-WebSocket-Extensions"); !strings.Contains(got+";", want+";") {
			t.Errorf("agreed on %q, want %s", got, want)
		}
	}
}

// reachRequests asks a client that does not answer.
func reachRequests(t *testing.T, on transport) {
	const most = 64
	h := eventHub()
	c := wsxtest.Dial(t, on.serve(t, h))
	eventually(t, "it is here", func() bool { return h.Len() == 1 })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, most)
	for asked := range h.Conns() {
		for range most {
			go func() { ended <- asked.Request(ctx, "what", nil, nil) }()
		}
		for range most {
			c.ReadText()
		}
		soon, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := asked.Request(soon, "what", nil, nil); !errors.Is(err, hub.ErrTooManyRequests) {
			t.Errorf("one more: %v", err)
		}
	}
	stop()
	for range most {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("one of them: %v", err)
		}
	}
}

// reachRevocations: a revocation that cannot be remembered closes the connections that it is about all the same.
func reachRevocations(t *testing.T, on transport) {
	const most = 100_000
	h := echoHub()
	c := wsxtest.Dial(t, on.serve(t, h, identified(time.Hour)))
	said(t, c, "here")
	until := time.Now().Add(time.Hour)
	for i := range most {
		if _, err := h.Revoke(hub.Revocation{ID: strconv.Itoa(i), Until: until}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := h.Revoke(hub.Revocation{Subject: "ann", Until: until}); n != 1 || !errors.Is(err, hub.ErrRevocations) {
		t.Errorf("one more: %d, %v", n, err)
	}
	if got := c.ReadClose().Status; got != ws.StatusAuthFailed {
		t.Errorf("closed with %v", got)
	}
}

// reachReadAhead sends more messages than are read for an OnConn that does not receive.
func reachReadAhead(t *testing.T, on transport) {
	const most, sent = 16, 100
	release, got := make(chan struct{}), make(chan int, 1)
	h := echoHub(hub.Config{Rate: -1, OnConn: func(c *hub.Conn) error {
		<-release
		n := 0
		for range c.Messages() {
			if n++; n == sent {
				break
			}
		}
		got <- n
		return nil
	}})
	c := wsxtest.Dial(t, on.serve(t, h))
	_ = c.Raw(repeated(sent, "x"))
	eventually(t, "some are read", func() bool { return h.Stats().MessagesIn >= most })
	if n := h.Stats().MessagesIn; n > most+1 { // one is in hand
		t.Errorf("%d are read ahead", n)
	}
	close(release)
	if n := <-got; n != sent {
		t.Errorf("%d come in the end", n)
	}
}

// reachInflated sends 2 MiB over the rate that have to be inflated: what comes behind them waits for half a second.
func reachInflated(t *testing.T, on transport) {
	h := echoHub(hub.Config{Rate: seldom, Compression: hub.Compression{Enabled: true, ClientContextTakeover: true}})
	c := wsxtest.Dial(t, on.serve(t, h), wsxtest.Options{Header: http.Header{"Sec-WebSocket-Extensions": {"permessage-deflate"}}})
	said(t, c, "the only one")
	zeros := deflate.NewCompressor(1).Append(nil, make([]byte, 64<<10), nil, 12)
	frames := wsxtest.AppendFrame(nil, true, opText|0x40, zeros)
	began := time.Now()
	_ = c.Raw(bytes.Repeat(frames, 32))
	_ = c.Frame(true, opPing, nil)
	for f := (wsxtest.Frame{}); f.Op != opPong; {
		var err error
		if f, err = c.ReadFrame(); err != nil { // others are notices
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("the pong came after %s", took)
	}
	if got := h.Stats().RateLimited; got != 32 {
		t.Errorf("%d are over the rate, want 32", got)
	}
}

// TestTheFirstMessageIsAwaited for five seconds, from a client that never sends it.
func TestTheFirstMessageIsAwaited(t *testing.T) {
	t.Parallel()
	for name, on := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := wsxtest.Dial(t, on.serve(t, echoHub(), wsx.Config{
				FirstMessage: true, Auth: auth.Static(map[string]string{versionToken: "ann"}),
			}))
			began := time.Now()
			if got := c.ReadClose().Status; got != ws.StatusAuthFailed {
				t.Errorf("closed with %v", got)
			}
			if took := time.Since(began); took < 4*time.Second || took > 15*time.Second {
				t.Errorf("closed after %s, want 5 s", took)
			}
		})
	}
}
