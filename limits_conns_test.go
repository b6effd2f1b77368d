package wsx_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// seldom is a rate at which nothing comes back within a test.
const seldom = 0.001

func asAnn(config wsx.Config) wsx.Config {
	config.Identify = identified(time.Hour).Identify
	return config
}

var boundsBefore = map[string]bound{
	"wsx.Config.MaxConnsPerIP":      refuses(hub.Config{}, wsx.Config{MaxConnsPerIP: 2}, 2, http.StatusTooManyRequests),
	"wsx.Config.MaxConnsPerSubject": refuses(hub.Config{}, asAnn(wsx.Config{MaxConnsPerSubject: 2}), 2, http.StatusTooManyRequests),
	"wsx.Config.HandshakeRate":      refuses(hub.Config{}, wsx.Config{HandshakeRate: seldom}, 10, http.StatusTooManyRequests),
	"wsx.Config.HandshakeBurst":     refuses(hub.Config{}, wsx.Config{HandshakeRate: seldom, HandshakeBurst: 3}, 3, http.StatusTooManyRequests),
	"hub.Config.MaxConns":           refuses(hub.Config{MaxConns: 3}, wsx.Config{}, 3, http.StatusServiceUnavailable),
	"auth.MaxSubject": refuses(hub.Config{}, wsx.Config{Identify: func(*fiber.Ctx) (auth.Identity, error) {
		return auth.Identity{Subject: strings.Repeat("a", auth.MaxSubject+1)}, nil
	}}, 0, http.StatusUnauthorized),
}

var boundsOfConnections = map[string]bound{
	"hub.Config.ErrorBudget":  reachErrors,
	"hub.Config.RoomCapacity": asScene("a full room"),
	"hub.Config.CloseTimeout": reachCloseTimeout,
	"hub.Config.PingInterval": reachPing,
	"hub.Config.PongTimeout":  asScene("no pong"),
	"hub.Config.IdleTimeout":  asScene("nobody talks"),
	"hub.Config.MaxLifetime":  asScene("a lifetime is over"),
	"hub.Config.DrainTimeout": reachDrain,
}

// reachErrors: a success in between sets the count back.
func reachErrors(t *testing.T, on transport) {
	scene{
		status: ws.StatusInternalError,
		hub: hub.Config{
			ErrorBudget: 2, OnError: func(*hub.Conn, error) {},
			OnMessage: func(c *hub.Conn, m hub.Message) error {
				if m.Text() == "fail" {
					return errors.New("no")
				}
				return c.Send(m)
			},
		},
		then: func(t *testing.T, s *stage) {
			_ = s.client.Raw(texts("fail", "works", "fail", "still works", "fail", "fail", "not this"))
			gets(t, s.client, "works")
			gets(t, s.client, "still works")
		},
	}.play(t, on)
}

// reachCloseTimeout leaves a close frame without an answer.
func reachCloseTimeout(t *testing.T, on transport) {
	h := echoHub(hub.Config{CloseTimeout: 50 * time.Millisecond})
	c := wsxtest.Dial(t, on.serve(t, h))
	said(t, c, "here")
	if err := h.All().Close(ws.StatusKicked, ""); err != nil {
		t.Error(err)
	}
	if got := listen(c, false); got != ws.StatusKicked {
		t.Errorf("told %v", got)
	}
	began := time.Now()
	if f, err := c.ReadFrame(); err == nil {
		t.Errorf("got %v, want the end", f)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("cut after %s", took)
	}
}

func reachPing(t *testing.T, on transport) {
	c := wsxtest.Dial(t, on.serve(t, echoHub(hub.Config{PingInterval: 50 * time.Millisecond})))
	for range 3 {
		f, err := c.ReadFrame()
		if err != nil || f.Op != opPing {
			t.Fatalf("got %v, %v, want a ping", f, err)
		}
		_ = c.Frame(true, opPong, f.Payload)
	}
}

// reachDrain shuts down beside a client that does not answer the close frame.
func reachDrain(t *testing.T, on transport) {
	h := echoHub(hub.Config{DrainTimeout: 50 * time.Millisecond, CloseTimeout: time.Minute, WriteDeadline: time.Minute})
	c := wsxtest.Dial(t, on.serve(t, h))
	said(t, c, "here")
	began := time.Now()
	if err := h.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if got := listen(c, false); got != ws.StatusGoingAway {
		t.Errorf("told %v", got)
	}
	if f, err := c.ReadFrame(); err == nil {
		t.Errorf("got %v, want the end", f)
	}
}

var boundsOfMessages = map[string]bound{
	"hub.Config.MaxMessage":            endsWith(ws.StatusMessageTooBig, hub.Config{MaxMessage: 10}, texts("12345678901")),
	"hub.Config.MaxFragments":          endsWith(ws.StatusPolicyViolation, hub.Config{MaxFragments: 2}, fragments(3)),
	"hub.Config.MaxMessageAge":         reachMessageAge,
	"hub.Config.ControlRate":           endsWith(ws.StatusPolicyViolation, hub.Config{ControlRate: 5}, controls(6)),
	"hub.Config.Rate":                  drops(hub.Config{Rate: seldom}, 3, 2),
	"hub.Config.Burst":                 drops(hub.Config{Rate: seldom, Burst: 5}, 8, 3),
	"hub.Config.RateBytes":             drops(hub.Config{RateBytes: seldom, MaxMessage: 10}, 3, 1),
	"hub.Config.BurstBytes":            drops(hub.Config{RateBytes: seldom, BurstBytes: 20}, 6, 2),
	"hub.Config.RateRule":              drops(hub.Config{RateRule: ruleOf(3)}, 5, 2),
	"hub.Config.RatePerSubject":        dropsOfAll(hub.Config{RatePerSubject: seldom}, 3, 2),
	"hub.Config.RatePerIP":             dropsOfAll(hub.Config{RatePerIP: seldom}, 3, 2),
	"hub.Config.Rate with OnBatch":     reachNoRate,
	"hub.Config.OutboxMessages":        asScene("nothing is read"),
	"hub.Config.OutboxBytes":           reachOutboxBytes,
	"hub.Config.Compression.Threshold": reachThreshold,
}

func fragments(n int) []byte {
	b := wsxtest.AppendFrame(nil, false, opText, nil)
	for range n - 2 {
		b = wsxtest.AppendFrame(b, false, opMore, nil)
	}
	return wsxtest.AppendFrame(b, true, opMore, nil)
}

func controls(n int) (b []byte) {
	for range n {
		b = wsxtest.AppendFrame(b, true, opPong, nil)
	}
	return b
}

func reachMessageAge(t *testing.T, on transport) {
	scene{
		status: ws.StatusPolicyViolation, hub: hub.Config{MaxMessageAge: 50 * time.Millisecond},
		then: func(_ *testing.T, s *stage) {
			go slowly(wsxtest.AppendFrame(nil, false, opText, []byte("begun")), wsxtest.AppendFrame(nil, false, opMore, nil))(s.client)
		},
	}.play(t, on)
}

// reachNoRate: with OnBatch there is none.
func reachNoRate(t *testing.T, on transport) {
	const n = 2000
	h := echoHub(hub.Config{OnBatch: discarded})
	c := wsxtest.Dial(t, on.serve(t, h))
	_ = c.Raw(repeated(n, "x"))
	eventually(t, "all are accepted", func() bool { return h.Stats().BatchAccepted == n })
	if got := h.Stats().RateLimited; got != 0 {
		t.Errorf("%d are dropped", got)
	}
}

// reachOutboxBytes sends few and long messages, which the number does not stop.
func reachOutboxBytes(t *testing.T, on transport) {
	scene{
		status: ws.StatusSlowConsumer, then: fill,
		hub: hub.Config{OutboxBytes: 64 << 10, OutboxMessages: -1, OutboxBudget: math.MaxInt},
	}.play(t, on)
}

// reachThreshold has messages that are longer compressed, and others not.
func reachThreshold(t *testing.T, on transport) {
	h := echoHub(hub.Config{Compression: hub.Compression{Enabled: true, Threshold: 100}})
	c := wsxtest.Dial(t, on.serve(t, h), wsxtest.Options{Header: http.Header{"Sec-WebSocket-Extensions": {"permessage-deflate"}}})
	for n, compressed := range map[int]bool{99: false, 200: true} {
		c.SendText(strings.Repeat("x", n))
		f, err := c.ReadFrame()
		if got := f.RSV&0x40 != 0; err != nil || got != compressed {
			t.Errorf("%s: compressed %t, %v", fmtSize(n), got, err)
		}
	}
}
