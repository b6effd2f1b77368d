package hub_test

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// beating is a hub whose heartbeat takes 10 s to the ping and 5 s to the pong.
func beating(t *testing.T, cfg hub.Config) *hub.Hub {
	t.Helper()
	cfg.PingInterval, cfg.PongTimeout = 10*time.Second, 5*time.Second
	if cfg.OnMessage == nil {
		cfg.OnMessage = nothing
	}
	return newHub(t, cfg)
}

// bound is the longest that a dead peer may go unnoticed.
const bound = 10*time.Second + 5*time.Second + time.Second

// TestSilentPeerIsCut has peers that read and say nothing, from the start or from some time on.
func TestSilentPeerIsCut(t *testing.T) {
	for _, alive := range []time.Duration{0, 7 * time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			h := beating(t, hub.Config{})
			s := connect(t, h)
			told := make(chan string, 1)
			go func() {
				for {
					f, err := s.ReadFrame()
					switch {
					case isTimeout(err):
					case err != nil, f.Op == wireClose:
						told <- string(f.Payload)
						return
					case f.Op != wirePing:
						t.Errorf("got opcode %d", f.Op)
					}
				}
			}()
			for start := time.Now(); time.Since(start) < alive; time.Sleep(time.Second / 2) {
				must(t, s.Frame(true, wirePong, nil))
			}
			silent := time.Now()
			want(t, "close frame", <-told, "\x0f\xa8heartbeat timeout") // 4008
			<-s.over
			if took := time.Since(silent); took > bound {
				t.Errorf("alive for %v: found dead after %v", alive, took)
			}
			want(t, "cause", ws.StatusOf(s.err), ws.StatusHeartbeatTimeout)
		})
	}
}

// TestHeartbeatDefaults finds a silent peer without any configuration.
func TestHeartbeatDefaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(hub.Config{OnMessage: nothing, Logger: slog.New(slog.DiscardHandler)})
		s := connect(t, h)
		s.swallow()
		start := time.Now()
		<-s.over
		if took := time.Since(start); took < 10*time.Second || took > 41*time.Second {
			t.Errorf("found dead after %v", took)
		}
		want(t, "cause", ws.StatusOf(s.err), ws.StatusHeartbeatTimeout)
	})
}

// TestLivePeersAreNotCut lets an hour pass for peers that are slow, each in its way.
func TestLivePeersAreNotCut(t *testing.T) {
	for name, behave := range map[string]func(s *session){
		"answers": func(s *session) { s.live() },
		"answers late": func(s *session) {
			go func() {
				for {
					f, err := s.ReadFrame()
					if isTimeout(err) {
						continue
					}
					if err != nil {
						return
					}
					time.Sleep(4900 * time.Millisecond)
					if f.Op == wirePing {
						_ = s.Frame(true, wirePong, f.Payload)
					}
				}
			}()
		},
		"sends a message byte by byte": func(s *session) {
			s.swallow()
			go func() {
				_ = s.Raw([]byte{0x82, 0x80 | 126, 0xff, 0xff, 0, 0, 0, 0})
				for s.Raw([]byte{0}) == nil {
					time.Sleep(4 * time.Second)
				}
			}()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := beating(t, hub.Config{MaxMessageAge: -1})
				s := connect(t, h)
				behave(s)
				time.Sleep(time.Hour)
				want(t, "state", s.handle.State(), hub.StateOpen)
				_ = s.Conn().Close()
				<-s.over
				time.Sleep(5 * time.Second) // for the peer to notice
			})
		})
	}
}

// TestBusyHandlerIsNotCut has a handler run for ten minutes, while the peer's pongs lie unread.
func TestBusyHandlerIsNotCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := beating(t, hub.Config{OnMessage: func(*hub.Conn, hub.Message) error {
			time.Sleep(10 * time.Minute)
			return nil
		}})
		s := connect(t, h)
		s.swallow()
		s.SendText("x")
		time.Sleep(10*time.Minute - time.Second)
		want(t, "state while the handler runs", s.handle.State(), hub.StateOpen)
		start := time.Now()
		<-s.handle.Done() // the peer is silent, and now that counts
		if took := time.Since(start); took < 5*time.Second || took > bound+time.Second {
			t.Errorf("cut %v after the handler", took)
		}
	})
}

// TestDeadPeerIsFoundBehindABusyHandler has a peer that takes nothing, while a handler runs.
func TestDeadPeerIsFoundBehindABusyHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := beating(t, hub.Config{OnMessage: func(*hub.Conn, hub.Message) error {
			<-release
			return nil
		}})
		s := connect(t, h)
		s.SendText("x")
		start := time.Now()
		<-s.handle.Context().Done()
		if took := time.Since(start); took > 20*time.Second { // a ping, and the write deadline
			t.Errorf("found dead after %v", took)
		}
		close(release)
		<-s.handle.Done()
	})
}

func TestRTT(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pongs := 0
		h := beating(t, hub.Config{OnPong: func(*hub.Conn, []byte) { pongs++ }})
		s := connect(t, h)
		want(t, "before the first pong", s.handle.RTT(), 0)
		must(t, s.Frame(true, wirePong, make([]byte, 8)))
		s.sync()
		want(t, "after a pong that answers nothing", s.handle.RTT(), 0)
		for _, rtt := range []time.Duration{30 * time.Millisecond, 2 * time.Second} {
			for {
				f, err := s.ReadFrame()
				if err != nil {
					continue // the next ping comes later than a client waits
				}
				time.Sleep(rtt)
				must(t, s.Frame(true, wirePong, f.Payload))
				s.sync()
				break
			}
			want(t, "round trip", s.handle.RTT(), rtt)
		}
		want(t, "calls of OnPong", pongs, 3)
	})
}

func TestNoHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: nothing, PingInterval: -1})
		s := connect(t, h)
		time.Sleep(24 * time.Hour)
		want(t, "state", s.handle.State(), hub.StateOpen)
		messages, bytes := s.handle.Buffered()
		want(t, "buffered", messages+bytes, 0)
	})
}
