package hub_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// exit is a way for a connection to end.
type exit struct {
	name   string
	config func(cfg *hub.Config)
	act    func(h *hub.Hub, s *session)
	told   ws.Status // in the close frame; 0: there is none to be read
	cause  ws.Status // in OnClose
}

var exits = []exit{
	{name: "clean", cause: ws.StatusNormalClosure, told: ws.StatusNormalClosure,
		act: func(_ *hub.Hub, s *session) { s.SendClose(ws.StatusNormalClosure, "") }},
	{name: "end of file", cause: ws.StatusAbnormalClosure,
		act: func(_ *hub.Hub, s *session) { _ = s.Conn().Close() }},
	{name: "end of file in mid-frame", cause: ws.StatusAbnormalClosure,
		act: func(_ *hub.Hub, s *session) { _ = s.Raw([]byte{0x81, 0xff, 0}); _ = s.Conn().Close() }},
	{name: "protocol error", cause: ws.StatusProtocolError, told: ws.StatusProtocolError,
		act: func(_ *hub.Hub, s *session) { _ = s.Raw([]byte{0xff, 0xff}) }},
	{name: "not UTF-8", cause: ws.StatusInvalidPayload, told: ws.StatusInvalidPayload,
		act: func(_ *hub.Hub, s *session) { _ = s.Frame(true, wireText, []byte{0xff}) }},
	{name: "kick", cause: ws.StatusKicked, told: ws.StatusKicked,
		act: func(h *hub.Hub, _ *session) { _ = h.All().Close(ws.StatusKicked, "") }},
	{name: "shutdown", cause: ws.StatusGoingAway, told: ws.StatusGoingAway,
		act: func(h *hub.Hub, _ *session) { _ = h.Shutdown(context.Background()) }},
	{name: "panic", cause: ws.StatusInternalError, told: ws.StatusInternalError,
		config: func(cfg *hub.Config) { cfg.OnMessage = func(*hub.Conn, hub.Message) error { panic("x") } },
		act:    func(_ *hub.Hub, s *session) { s.SendText("x") }},
	{name: "Goexit", cause: ws.StatusInternalError, told: ws.StatusInternalError,
		config: func(cfg *hub.Config) {
			cfg.OnMessage = func(*hub.Conn, hub.Message) error { runtime.Goexit(); return nil }
		},
		act: func(_ *hub.Hub, s *session) { s.SendText("x") }},
	{name: "OnOpen's error", cause: ws.StatusPolicyViolation, told: ws.StatusPolicyViolation,
		config: func(cfg *hub.Config) { refuse(cfg, errors.New("no")) }},
	{name: "OnOpen's close error", cause: ws.StatusAuthFailed, told: ws.StatusAuthFailed,
		config: func(cfg *hub.Config) {
			refuse(cfg, fmt.Errorf("no: %w", ws.CloseError{Status: ws.StatusAuthFailed}))
		}},
	{name: "OnOpen's full room", cause: ws.StatusRoomFull, told: ws.StatusRoomFull,
		config: func(cfg *hub.Config) { refuse(cfg, hub.ErrRoomFull) }},
}

// refuse makes OnOpen return an error, after what it did before.
func refuse(cfg *hub.Config, err error) {
	open := cfg.OnOpen
	cfg.OnOpen = func(c *hub.Conn) error { _ = open(c); return err }
}

// TestOpenAndCloseArePaired checks on every way out, with and without OnConn, that OnOpen and OnClose are called once,
// in this order, and what the end is called.
func TestOpenAndCloseArePaired(t *testing.T) {
	for _, e := range exits {
		t.Run(e.name, func(t *testing.T) {
			var events list[string]
			var causes list[error]
			cfg := hub.Config{
				OnMessage: nothing,
				OnOpen:    func(*hub.Conn) error { events.add("open"); return nil },
				OnClose: func(_ *hub.Conn, err error) {
					events.add("close")
					causes.add(err)
				},
				OnError: func(*hub.Conn, error) {},
			}
			if e.config != nil {
				e.config(&cfg)
			}
			h := newHub(t, cfg)
			s := begin(t, h)
			if e.act != nil {
				s.sync()
				go e.act(h, s)
			}
			if e.told != 0 {
				s.wantClose(e.told)
			}
			s.gone()
			if got := events.all(); !slices.Equal(got, []string{"open", "close"}) {
				t.Fatalf("events: %v", got)
			}
			want(t, "cause", ws.StatusOf(causes.all()[0]), e.cause)
			if e.name != "Goexit" {
				want(t, "status of Serve's error", ws.StatusOf(s.err), e.cause)
			}
			want(t, "connections", h.Len(), 0)
			stats := h.Stats()
			want(t, "opened", stats.Opened, 1)
			want(t, "closed", stats.Closed, 1)
		})
	}
}

// crashes are configs in which one callback does what crash does, and how to get there.
var crashes = map[string]func(cfg *hub.Config, crash func()){
	"OnOpen": func(cfg *hub.Config, crash func()) { cfg.OnOpen = func(*hub.Conn) error { crash(); return nil } },
	"OnMessage": func(cfg *hub.Config, crash func()) {
		cfg.OnMessage = func(*hub.Conn, hub.Message) error { crash(); return nil }
	},
	"OnPing": func(cfg *hub.Config, crash func()) { cfg.OnPing = func(*hub.Conn, []byte) { crash() } },
	"OnPong": func(cfg *hub.Config, crash func()) { cfg.OnPong = func(*hub.Conn, []byte) { crash() } },
	"OnJoin": func(cfg *hub.Config, crash func()) {
		cfg.OnJoin = func(*hub.Conn, string) error { crash(); return nil }
	},
	"OnLeave": func(cfg *hub.Config, crash func()) { cfg.OnLeave = func(*hub.Conn, string) { crash() } },
	"OnClose": func(cfg *hub.Config, crash func()) { cfg.OnClose = func(*hub.Conn, error) { crash() } },
	"OnError": func(cfg *hub.Config, crash func()) {
		cfg.OnError = func(*hub.Conn, error) { crash() }
		cfg.OnMessage = func(*hub.Conn, hub.Message) error { return errors.New("x") }
	},
	"OnConn": func(cfg *hub.Config, crash func()) {
		cfg.OnMessage = nil
		cfg.OnConn = func(c *hub.Conn) error {
			_, _ = c.Receive(context.Background())
			crash()
			return nil
		}
	},
}

// TestCrashes has each callback panic or end its goroutine: that connection ends in order, the other one does not
// notice.
func TestCrashes(t *testing.T) {
	for callback, config := range crashes {
		for how, crash := range map[string]func(){"panic": func() { panic(marker) }, "Goexit": runtime.Goexit} {
			t.Run(callback+"/"+how, func(t *testing.T) {
				var reported list[error]
				var closes list[*hub.Conn]
				cfg := hub.Config{
					OnError: func(_ *hub.Conn, err error) { reported.add(err) },
					OnClose: func(c *hub.Conn, _ error) { closes.add(c) },
					OnMessage: func(c *hub.Conn, m hub.Message) error {
						if err := c.Join("room"); err != nil {
							return err
						}
						c.Leave("room")
						return c.Send(m)
					},
				}
				var victim atomic.Bool // whether the next callback is the one
				config(&cfg, func() {
					if victim.Load() {
						crash()
					}
				})
				h := newHub(t, cfg)
				testCrash(t, h, callback, how, &victim, &reported, &closes)
			})
		}
	}
}

func testCrash(t *testing.T, h *hub.Hub, callback, how string, victim *atomic.Bool, reported *list[error], closes *list[*hub.Conn]) {
	other := connect(t, h)
	victim.Store(true)
	s := begin(t, h)
	go func() {
		_ = s.Frame(true, wirePing, nil)
		_ = s.Frame(true, wirePong, nil)
		_ = s.Frame(true, wireText, nil)
		if callback == "OnClose" {
			_ = s.Frame(true, wireClose, []byte{1011 >> 8, 1011 & 0xff})
		}
	}()
	s.wantClose(ws.StatusInternalError)
	s.gone()
	victim.Store(false)

	crashed := 1
	if how == "Goexit" && (callback == "OnJoin" || callback == "OnLeave") {
		crashed = 2 // it ends OnMessage too, which called Join and Leave
	}
	want(t, "connections", h.Len(), 1)
	want(t, "panics", h.Stats().Panics, uint64(crashed))
	if callback != "OnClose" {
		want(t, "calls of OnClose", len(closes.all()), 1)
	}
	if callback != "OnError" {
		if len(reported.all()) != crashed {
			t.Fatalf("OnError got %v, want %d", reported.all(), crashed)
		}
		var crash *hub.PanicError
		if !errors.As(reported.all()[0], &crash) {
			t.Fatalf("OnError got %T", reported.all()[0])
		}
		want(t, "callback", crash.Callback, callback)
		want(t, "Goexit", crash.Goexit, how == "Goexit")
		want(t, "stack", len(crash.Stack) > 0, true)
	}
	want(t, "state of the other", other.handle.State(), hub.StateOpen)
	must(t, other.handle.SendText("still here"))
	want(t, "message to the other", other.ReadText(), "still here")
}
