package wire_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

func TestFragmentsAreLimited(t *testing.T) {
	for _, row := range []struct {
		fragments int
		piece     string
		want      ws.Status
	}{{1024, "x", 1000}, {1025, "x", 1008}, {1024, "", 1000}, {1025, "", 1008}} {
		t.Run(fmt.Sprintf("%d of %q", row.fragments, row.piece), func(t *testing.T) {
			one := join(first(row.piece), slices.Repeat(more(row.piece), row.fragments-2), last(row.piece))
			x := exchange{rfc: "5.4", in: join(one, one), close: row.want}
			if row.want == ws.StatusNormalClosure {
				whole := describe("text", []byte(strings.Repeat(row.piece, row.fragments)))
				x.saw, x.close = []string{whole, whole}, 0 // the count begins anew with each message
			}
			x.run(t, piped, 1<<20)
		})
	}
}

func TestMessageAge(t *testing.T) {
	whole := text("ab")
	start := whole[:len(whole)-1] // of a message in one frame
	for _, row := range []struct {
		name  string
		begun []byte
		then  []byte        // after that
		after time.Duration // since then
		want  string
	}{
		{"last fragment in time", first("a"), last("b"), 30 * time.Second, `text "ab"`},
		{"last fragment too late", first("a"), last("b"), 30*time.Second + 1, "1008"},
		{"fragment too late", first("a"), more("b"), 31 * time.Second, "1008"},
		{"ping in the end", first("a"), ping("p"), 31 * time.Second, "1008"},
		{"ping in time", first("a"), ping("p"), 30 * time.Second, `ping "p"`},
		{"end of a frame in time", start, whole[len(start):], 30 * time.Second, `text "ab"`},
		{"end of a frame too late", start, whole[len(start):], 30*time.Second + 1, "1008"},
		{"middle of a frame too late", blob(1000)[:20], []byte("x"), 31 * time.Second, "1008"},
		{"frame of a late fragment", first("a")[:6], first("a")[6:], 31 * time.Second, "1008"},
		{"after a whole message", join(text("c"), start), whole[len(start):], 31 * time.Second, "1008"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := piped(t, limits(), &recorder{})
				must(t, r.client.Raw(row.begun))
				time.Sleep(row.after)
				before := len(r.handler.all())
				must(t, r.client.Raw(row.then))
				synctest.Wait()
				if row.want == "1008" {
					want(t, "close frame", r.client.ReadClose().Status, ws.StatusPolicyViolation)
					wantAll(t, "handled", r.handler.all()[before:], nil)
					return
				}
				wantAll(t, "handled", r.handler.all(), []string{row.want})
			})
		})
	}
}

// TestMessageAgeBeginsAnew: what counts is the age of a message, and not that of the connection or of the one before.
func TestMessageAgeBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		whole := text("ab")
		for _, piece := range [][]byte{whole[:7], whole[7:], first("a"), join(last("b"), whole[:7]), whole[7:]} {
			must(t, r.client.Raw(piece))
			time.Sleep(20 * time.Second)
		}
		wantAll(t, "handled", r.handler.all(), slices.Repeat([]string{`text "ab"`}, 3))
	})
}

// TestMessageAgeOnSockets has the rest of a frame come late on each transport.
func TestMessageAgeOnSockets(t *testing.T) {
	for name, on := range map[string]func(testing.TB, wire.Config, *recorder) *rig{"detached": dialed, "in place": inPlace} {
		t.Run(name, func(t *testing.T) {
			cfg := limits()
			cfg.MaxMessageAge = 1
			r := on(t, cfg, &recorder{})
			must(t, r.client.Raw(join(ping("p"), blob(1000)[:500])))
			_, err := r.client.ReadFrame() // the pong: both were read
			must(t, err)
			must(t, r.client.Raw(blob(1000)[500:]))
			want(t, "close frame", r.client.ReadClose().Status, ws.StatusPolicyViolation)
			wantAll(t, "handled", r.handler.all(), []string{`ping "p"`})
		})
	}
}

func TestControlRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := limits()
		cfg.ControlRate = 50
		r := piped(t, cfg, &recorder{})
		var got heard
		for range 3 { // seconds
			must(t, r.client.Raw(join(slices.Repeat(join(ping("a"), pong("b")), 25), text("data is not counted"))))
			for range 25 {
				f, err := r.client.ReadFrame()
				must(t, err)
				got.add(t, f)
			}
			time.Sleep(time.Second)
		}
		want(t, "pongs", len(got.pongs), 75)
		want(t, "state", r.State(), wire.StateOpen)
		go func() { _ = r.client.Raw(slices.Repeat(pong(""), 51)) }()
		want(t, "close frame", r.client.ReadClose().Status, ws.StatusPolicyViolation)
		want(t, "handled", len(r.handler.all()), 3*51+50)
	})
}

// TestControlFramesThatHaveWaited: what came while nobody read counts for that time.
func TestControlFramesThatHaveWaited(t *testing.T) {
	for name, row := range map[string]struct {
		busy, idle time.Duration
		frames     int
		closes     bool
	}{
		"one a second for a minute":        {time.Minute, 0, 60, false},
		"as many as there may be":          {10 * time.Second, 0, 11 * 50, false},
		"one too many":                     {10 * time.Second, 0, 11*50 + 1, true},
		"for a minute at most":             {time.Hour, 0, 61 * 50, false},
		"and one more":                     {time.Hour, 0, 61*50 + 1, true},
		"nothing came while nobody read":   {time.Minute, time.Second, 51, true},
		"nobody had to wait to be read":    {0, time.Minute, 51, true},
		"as many as ever, after some time": {time.Minute, time.Minute, 50, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := limits()
				cfg.ControlRate = 50
				r := piped(t, cfg, &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) { time.Sleep(row.busy) }})
				r.client.SendText("x")
				busy := row.busy
				if row.idle > 0 {
					time.Sleep(row.busy + row.idle)
					busy = 0
				}
				go func() {
					_, _ = r.client.Conn().Write(append(bytes.Repeat(pong(""), row.frames), bye(ws.StatusNormalClosure, "")...))
				}()
				time.Sleep(busy)
				status := ws.StatusNormalClosure
				if row.closes {
					status = ws.StatusPolicyViolation
				}
				want(t, "close frame", r.client.ReadClose().Status, status)
			})
		})
	}
}

// TestControlFramesThatHaveWaitedInASocket is that over TCP.
func TestControlFramesThatHaveWaitedInASocket(t *testing.T) {
	cfg := limits()
	cfg.ControlRate = 2
	entered, sent := make(chan struct{}), make(chan struct{})
	r := dialed(t, cfg, &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) {
		close(entered)
		<-sent
		<-time.After(1100 * time.Millisecond)
	}})
	r.client.SendText("x")
	<-entered
	err := r.client.Raw(slices.Repeat(pong(""), 4))
	r.client.SendClose(ws.StatusNormalClosure, "")
	close(sent)
	must(t, err)
	want(t, "close frame", r.client.ReadClose().Status, ws.StatusNormalClosure)
}
