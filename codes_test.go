package wsx_test

import (
	"context"
	"errors"
	"go/ast"
	"go/token"
	"strconv"
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

// scene is a way in which a connection comes to its end.
type scene struct {
	status ws.Status
	hub    hub.Config
	config wsx.Config
	dial   wsxtest.Options
	then   func(t *testing.T, s *stage) // nil: it ends by itself
	silent bool                         // the client answers no ping
	unsaid bool                         // OnClose does not hear of it
}

// stage is where a scene is played.
type stage struct {
	hub     *hub.Hub
	client  *wsxtest.Client
	address string
	dial    wsxtest.Options
	closed  chan ws.Status // what OnClose gets
}

// instead is a handler that says how it ends.
func instead(status ws.Status) hub.Config {
	return hub.Config{OnMessage: func(*hub.Conn, hub.Message) error { return ws.CloseError{Status: status} }}
}

func speak(_ *testing.T, s *stage) { _ = s.client.Frame(true, opText, []byte("hello")) }

// again connects once more, when the first connection has its stream, which the hello says.
func again(t *testing.T, s *stage) {
	if hello := s.client.ReadText(); !strings.Contains(hello, `"wsx":"hello"`) {
		t.Errorf("the first message is %s", hello)
	}
	wsxtest.Dial(t, s.address, s.dial)
}

func write(raw []byte) func(*testing.T, *stage) {
	return func(_ *testing.T, s *stage) { _ = s.client.Raw(raw) }
}

func identified(life time.Duration) wsx.Config {
	return wsx.Config{Identify: func(*fiber.Ctx) (auth.Identity, error) {
		return auth.Identity{Subject: "ann", Expires: time.Now().Add(life)}, nil
	}}
}

func discarded(context.Context, *hub.Batch) error { return nil }

// inRoomForOne closes the second one that wants to join.
var inRoomForOne = hub.Config{RoomCapacity: 1, OnMessage: func(c *hub.Conn, _ hub.Message) error { return c.Join("full") }}

// scenes are those of every code that wsx may send.
var scenes = map[string]scene{
	"the client goes": {status: ws.StatusNormalClosure, then: write(wsxtest.AppendFrame(nil, true, opClose, []byte{3, 232}))},
	"OnConn returns":  {status: ws.StatusNormalClosure, hub: hub.Config{OnConn: func(*hub.Conn) error { return nil }}},
	"nobody talks":    {status: ws.StatusNormalClosure, hub: hub.Config{IdleTimeout: 50 * time.Millisecond}},
	"a shutdown":      {status: ws.StatusGoingAway, then: shutDown},
	"a shutdown that has a code of its own": {
		status: ws.StatusServerShutdown, hub: hub.Config{ShutdownStatus: ws.StatusServerShutdown}, then: shutDown,
	},
	"a frame without a mask": {status: ws.StatusProtocolError, then: write([]byte{0x81, 0x01, 'x'})},
	"what no handler takes":  {status: ws.StatusUnsupportedData, hub: instead(ws.StatusUnsupportedData), then: speak},
	"an extension is wanted": {status: ws.StatusMandatoryExt, hub: instead(ws.StatusMandatoryExt), then: speak},
	"a gateway fails":        {status: ws.StatusBadGateway, hub: instead(ws.StatusBadGateway), then: speak},
	"text that is no UTF-8":  {status: ws.StatusInvalidPayload, then: write(texts("\xff"))},
	"OnOpen refuses": {
		status: ws.StatusPolicyViolation, hub: hub.Config{OnOpen: func(*hub.Conn) error { return errors.New("no") }},
	},
	"a long message":     {status: ws.StatusMessageTooBig, then: write(header(1 << 20))},
	"a handler panics":   {status: ws.StatusInternalError, hub: hub.Config{OnMessage: func(*hub.Conn, hub.Message) error { panic("no") }}, then: speak},
	"a lifetime is over": {status: ws.StatusServiceRestart, hub: hub.Config{MaxLifetime: 50 * time.Millisecond}},
	"the store does not say what it has": {
		status: ws.StatusTryAgainLater, dial: wsxtest.Options{Subprotocols: []string{hub.AckProtocol}}, config: identified(time.Hour),
		hub: hub.Config{OnBatch: discarded, Ack: hub.AckResume, Position: func(context.Context, string) (uint64, bool, error) {
			return 0, false, errors.New("away")
		}},
	},
	"a revoked token": {status: ws.StatusAuthFailed, config: identified(time.Hour), then: func(t *testing.T, s *stage) {
		said(t, s.client, "here") // while it opens it may be the one that closes itself
		if n, err := s.hub.Revoke(hub.Revocation{Subject: "ann", Until: time.Now().Add(time.Hour)}); n != 1 || err != nil {
			t.Errorf("revoked for %d, %v", n, err)
		}
	}},
	"a bad first message": {
		status: ws.StatusAuthFailed, unsaid: true, config: wsx.Config{FirstMessage: true, Auth: auth.Static(map[string]string{versionToken: "ann"})},
		then: write(texts(`{"type":"auth","token":"` + badToken + `"}`)),
	},
	"a full room": {status: ws.StatusRoomFull, hub: inRoomForOne, then: func(t *testing.T, s *stage) {
		first := wsxtest.Dial(t, s.address)
		first.SendText("hello")
		eventually(t, "the room is full", func() bool { return s.hub.Room("full").Len() == 1 })
		speak(t, s)
	}},
	"a kick": {status: ws.StatusKicked, then: func(t *testing.T, s *stage) {
		if err := s.hub.All().Close(ws.StatusKicked, "out"); err != nil {
			t.Error(err)
		}
	}},
	"too many messages": {
		status: ws.StatusRateLimited, hub: hub.Config{Rate: 1, Burst: 1, OverRate: hub.CloseOver}, then: write(texts("a", "b")),
	},
	"nothing is read":   {status: ws.StatusSlowConsumer, hub: hub.Config{OutboxMessages: 8}, then: fill},
	"a token that ends": {status: ws.StatusTokenExpired, config: identified(50 * time.Millisecond)},
	"no pong":           {status: ws.StatusHeartbeatTimeout, hub: hub.Config{PingInterval: 50 * time.Millisecond, PongTimeout: 50 * time.Millisecond}, silent: true},
	"a newer connection": {
		status: ws.StatusReplaced, dial: wsxtest.Options{Subprotocols: []string{hub.AckProtocol}}, config: identified(time.Hour),
		hub: hub.Config{OnBatch: discarded, Ack: hub.AckBatch}, then: again,
	},
	"another version": {status: ws.StatusUnsupportedVersion, unsaid: true, config: wsx.Config{Versions: []string{"chat.v2"}}},
}

func shutDown(t *testing.T, s *stage) {
	go func() {
		if err := s.hub.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}()
}

// fill sends until the client counts as too slow.
func fill(t *testing.T, s *stage) {
	for c := range s.hub.Conns() {
		for {
			err := c.SendText(strings.Repeat("x", 16<<10))
			if errors.Is(err, hub.ErrSlowConsumer) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	}
}

// TestEveryCode brings a connection to its end in every way, and has its client read the code.
func TestEveryCode(t *testing.T) {
	for name, s := range scenes {
		t.Run(name, func(t *testing.T) { onEach(t, s.play) })
	}
}

func (row scene) play(t *testing.T, on transport) {
	s := &stage{closed: make(chan ws.Status, 2), dial: row.dial}
	cfg := row.hub
	if cfg.PingInterval == 0 {
		cfg.PingInterval = -1
	}
	cfg.OnClose = func(_ *hub.Conn, err error) { s.closed <- ws.StatusOf(err) }
	s.hub = echoHub(cfg)
	s.address = on.serve(t, s.hub, row.config)
	s.client = wsxtest.Dial(t, s.address, row.dial)
	if row.then != nil {
		eventually(t, "it is open", func() bool { return row.unsaid || s.hub.Stats().Opened == 1 })
		row.then(t, s)
	}
	var got ws.Status
	if row.silent {
		got = listen(s.client, false)
	} else {
		got = s.client.ReadClose().Status
	}
	if got != row.status {
		t.Errorf("the client reads %v, want %v", got, row.status)
	}
	_ = s.client.Conn().Close()
	if row.unsaid {
		return
	}
	select {
	case got := <-s.closed:
		if got != row.status {
			t.Errorf("OnClose gets %v, want %v", got, row.status)
		}
	case <-time.After(10 * time.Second):
		t.Error("OnClose is not called")
	}
}

// TestEveryCodeHasAScene looks at the codes that there are.
func TestEveryCodeHasAScene(t *testing.T) {
	played := make(map[ws.Status]bool)
	for _, row := range scenes {
		played[row.status] = true
	}
	known := statuses(t)
	if len(known) < 25 {
		t.Errorf("found only %d codes", len(known))
	}
	for name, status := range known {
		if played[status] != status.Sendable() {
			t.Errorf("%s: there is a scene: %t; it may be sent: %t", name, played[status], status.Sendable())
		}
	}
}

// statuses are the codes that the package ws has constants for.
func statuses(t *testing.T) map[string]ws.Status {
	t.Helper()
	all := make(map[string]ws.Status)
	for _, f := range goFiles(t) {
		if f.dir != "ws" || f.test() {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Status") {
				return true
			}
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.INT {
				n, err := strconv.Atoi(lit.Value)
				if err != nil {
					t.Error(err)
				}
				all[spec.Names[0].Name] = ws.Status(n)
			}
			return true
		})
	}
	return all
}
