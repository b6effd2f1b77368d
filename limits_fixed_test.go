package wsx_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/contrib/websocket"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ratelimit"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

func ruleOf(n int) ratelimit.Rule { return ratelimit.Rule{Max: n, Period: time.Hour} }

var boundsOfBatches = map[string]bound{
	"batch.Config.MaxItems":                  gathers(hub.Config{Batch: batch.Config{MaxItems: 3, MaxAge: -1}}, repeated(7, "12345"), 3, 3),
	"batch.Config.MaxBytes":                  gathers(hub.Config{Batch: batch.Config{MaxBytes: 10, MaxAge: -1}}, repeated(5, "12345"), 2, 2),
	"batch.Config.MaxAge":                    gathers(hub.Config{Batch: batch.Config{MaxAge: 20 * time.Millisecond}}, texts("1"), 1),
	"batch.Config.MaxItems with hub.PerConn": gathers(hub.Config{BatchPer: hub.PerConn, Batch: batch.Config{MaxAge: -1}}, repeated(101, "1"), 50, 50),
	"batch.Config.MaxBytes with hub.PerConn": gathers(hub.Config{BatchPer: hub.PerConn, Batch: batch.Config{MaxAge: -1}}, repeated(5, strings.Repeat("x", 60_000)), 4),
	"hub.Config.MaxUnsettled":                pauses(hub.Config{MaxUnsettled: 3}, 3),
	"hub.Config.MaxUnsettledBytes":           pauses(hub.Config{MaxUnsettledBytes: 20}, 4),
	"hub.Config.IngestBudget":                reachIngestBudget,
}

// gathers is a bound of batches: the first of them have these sizes.
func gathers(cfg hub.Config, frames []byte, sizes ...int) bound {
	return func(t *testing.T, on transport) {
		handled := make(chan int, 100)
		cfg := cfg
		cfg.OnBatch = func(_ context.Context, b *hub.Batch) error { handled <- b.Len(); return nil }
		c := wsxtest.Dial(t, on.serve(t, echoHub(cfg)))
		_ = c.Raw(frames)
		for i, want := range sizes {
			select {
			case got := <-handled:
				if got != want {
					t.Errorf("batch %d has %d messages, want %d", i, got, want)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("batch %d does not come", i)
			}
		}
	}
}

// pauses is a bound of what a client has sent and is not told of: so many are taken, and no more until they are stored.
func pauses(cfg hub.Config, taken uint64) bound {
	return func(t *testing.T, on transport) {
		const sent = 12
		cfg, store := cfg, make(chan struct{})
		cfg.Ack, cfg.Batch = hub.AckBatch, batch.Config{MaxAge: time.Millisecond}
		cfg.OnBatch = func(context.Context, *hub.Batch) error { <-store; return nil }
		h := echoHub(cfg)
		c := wsxtest.Dial(t, on.serve(t, h), wsxtest.Options{Subprotocols: []string{hub.AckProtocol}})
		c.ReadText() // the hello
		_ = c.Raw(repeated(sent, "12345"))
		eventually(t, "it is not read any more", func() bool { return h.Stats().Paused == 1 })
		if got := h.Stats().BatchAccepted; got != taken {
			t.Errorf("%d are taken, want %d", got, taken)
		}
		close(store)
		eventually(t, "all are stored", func() bool { return h.Stats().BatchHandled == sent })
	}
}

// reachIngestBudget refuses who wants to connect while the store is stuck.
func reachIngestBudget(t *testing.T, on transport) {
	const sent = 300
	store := make(chan struct{})
	h := echoHub(hub.Config{
		IngestBudget: 10_000, Batch: batch.Config{MaxAge: time.Millisecond},
		OnBatch: func(context.Context, *hub.Batch) error { <-store; return nil },
	})
	address := on.serve(t, h)
	c := wsxtest.Dial(t, address)
	_ = c.Raw(repeated(sent, strings.Repeat("x", 1000)))
	eventually(t, "nobody is let in", func() bool {
		other, resp, err := wsxtest.TryDial(t, address)
		return other == nil && err == nil && resp.StatusCode == 503 && resp.Header.Get("Retry-After") != ""
	})
	eventually(t, "it is not read any more", func() bool { return h.Stats().Paused == 1 })
	if got := h.Stats().BatchAccepted; got >= sent/2 {
		t.Errorf("%d are taken", got)
	}
	close(store)
	eventually(t, "all are stored", func() bool { return h.Stats().BatchHandled == sent })
	wsxtest.Dial(t, address)
}

var boundsThatAreFixed = map[string]bound{
	"control frame":                                endsWith(ws.StatusProtocolError, hub.Config{}, wsxtest.AppendFrame(nil, true, opPing, make([]byte, 126))),
	"ws.MaxReason":                                 reachReason,
	"final blocks of a compressed message":         reachFinalBlocks,
	"length of that message":                       reachFirstMessage,
	"tokens of one connection":                     reachTokens,
	"codec.MaxDepth":                               reachDepth,
	"codec.MaxID":                                  reachID,
	"answers to what is no event, or does not fit": reachAnswers,
	"verifying a token on a live connection":       reachVerifying,
	"read limit of wsx.Contrib without a hub":      reachContrib,
}

// reachFinalBlocks sends empty messages, of so many final blocks and the byte that has to follow them (RFC 7692,
// section 7.2.3.4).
func reachFinalBlocks(t *testing.T, on transport) {
	h := echoHub(hub.Config{Compression: hub.Compression{Enabled: true}})
	c := wsxtest.Dial(t, on.serve(t, h), wsxtest.Options{Header: http.Header{"Sec-WebSocket-Extensions": {"permessage-deflate"}}})
	for _, blocks := range []int{7, 8} {
		frame := wsxtest.AppendFrame(nil, true, opText, append(bytes.Repeat([]byte{1, 0, 0, 0xff, 0xff}, blocks), 0))
		frame[0] |= 0x40
		_ = c.Raw(frame)
	}
	gets(t, c, "")
	if got := c.ReadClose().Status; got != ws.StatusInvalidPayload {
		t.Errorf("closed with %d", got)
	}
}

func reachReason(t *testing.T, on transport) {
	h := echoHub()
	c := wsxtest.Dial(t, on.serve(t, h))
	said(t, c, "here")
	if err := h.All().Close(ws.StatusKicked, strings.Repeat("é", 100)); err != nil {
		t.Error(err)
	}
	if got, want := c.ReadClose().Reason, strings.Repeat("é", ws.MaxReason/2); got != want {
		t.Errorf("told %q", got)
	}
}

func reachFirstMessage(t *testing.T, on transport) {
	scene{
		status: ws.StatusMessageTooBig, unsaid: true,
		config: wsx.Config{FirstMessage: true, Auth: auth.Static(map[string]string{versionToken: "ann"})},
		then:   write(texts(strings.Repeat("x", 4<<10+1))),
	}.play(t, on)
}

const renewal = `{"type":"auth","token":"` + versionToken + `"}`

func renewing() wsx.Config {
	return wsx.Config{Refresh: true, Auth: auth.Static(map[string]string{versionToken: "ann"}), TokenLookup: "query:token"}
}

func reachTokens(t *testing.T, on transport) {
	h := echoHub()
	c := wsxtest.Dial(t, on.serve(t, h, renewing())+"?token="+versionToken)
	_ = c.Raw(repeated(6, renewal))
	for range 5 {
		gets(t, c, `{"type":"auth","ok":true}`)
	}
	if got := c.ReadClose().Status; got != ws.StatusRateLimited {
		t.Errorf("the sixth: closed with %v", got)
	}
}

// reachVerifying: the authenticator is given 5 s.
func reachVerifying(t *testing.T, on transport) {
	left := make(chan time.Duration, 2)
	config := renewing()
	config.Auth = auth.Func(func(ctx context.Context, _ string) (auth.Identity, error) {
		if end, ok := ctx.Deadline(); ok {
			left <- time.Until(end)
		}
		return auth.Identity{Subject: "ann"}, nil
	})
	c := wsxtest.Dial(t, on.serve(t, echoHub(), config)+"?token="+versionToken)
	c.SendText(renewal)
	gets(t, c, `{"type":"auth","ok":true}`)
	if got := <-left; got <= 0 || got > 5*time.Second {
		t.Errorf("it has %s", got)
	}
}

// eventHub knows one event, and answers one request.
func eventHub() *hub.Hub {
	h := hub.New(hub.Config{Logger: quiet, Rate: -1})
	hub.On(h, "say", func(c *hub.Conn, v any) error { return c.SendText("taken") })
	hub.Reply(h, "ask", func(*hub.Conn, any) (string, error) { return "yes", nil })
	return h
}

func reachDepth(t *testing.T, on transport) {
	h := eventHub()
	c := wsxtest.Dial(t, on.serve(t, h))
	nested := func(n int) string { // the object around it is a level too
		return `{"type":"say","data":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + "}"
	}
	c.SendText(nested(codec.MaxDepth))
	gets(t, c, "taken")
	c.SendText(nested(codec.MaxDepth + 1))
	gets(t, c, `{"type":"error","code":"invalid","message":"not an object with a \"type\""}`)
}

func reachID(t *testing.T, on transport) {
	c := wsxtest.Dial(t, on.serve(t, eventHub()))
	ask := func(n int) string {
		return fmt.Sprintf(`{"type":"ask","id":%q,"data":1}`, strings.Repeat("1", n-2)) // its quotes count
	}
	c.SendText(ask(codec.MaxID))
	gets(t, c, fmt.Sprintf(`{"type":"reply","id":%q,"data":"yes"}`, strings.Repeat("1", codec.MaxID-2)))
	c.SendText(ask(codec.MaxID + 1))
	gets(t, c, `{"type":"error","code":"invalid","message":"a request needs an \"id\": a number, or a string of at most 62 bytes"}`)
}

func reachAnswers(t *testing.T, on transport) {
	const sent = 50
	h := eventHub()
	c := wsxtest.Dial(t, on.serve(t, h))
	began := time.Now()
	_ = c.Raw(repeated(sent, `{"type":"unknown"}`))
	eventually(t, "all are counted", func() bool { return h.Stats().Invalid == sent })
	most := uint64(10 + 10*(time.Since(began)+time.Second).Seconds())
	if got := h.Stats().MessagesOut; got < 10 || got > most && most < sent {
		t.Errorf("%d answers, want 10", got)
	}
}

func reachContrib(t *testing.T, _ transport) {
	app := newApp()
	app.Use("/ws", wsx.Contrib(func(c *websocket.Conn) {
		for {
			kind, p, err := c.ReadMessage()
			if err != nil || c.WriteMessage(kind, p) != nil {
				return
			}
		}
	}, wsx.Config{Logger: quiet}))
	c := wsxtest.Dial(t, "ws://"+serve(t, app)+"/ws")
	said(t, c, strings.Repeat("x", 64<<10))
	_ = c.Raw(texts(strings.Repeat("x", 64<<10+1)))
	if got := c.ReadClose().Status; got != ws.StatusMessageTooBig {
		t.Errorf("closed with %v", got)
	}
}
