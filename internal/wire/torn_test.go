package wire_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// torn is a payload whose rest, wherever it is cut, begins with what looks like the header of a frame of -2^63 bytes,
// or does so behind its first byte.
func torn(size, at int) []byte { return bytes.Repeat([]byte{0x80, 0x7f}, size/2+1)[at%2:][:size] }

// wantEach ends the connection and wants each message to have come to the client or to be counted as dropped, not both.
func (r *rig) wantEach(t *testing.T, accepted int) {
	t.Helper()
	r.Abort()
	r.ended(t)
	got := 0
	for {
		if _, err := r.client.ReadFrame(); err != nil {
			break
		}
		got++
	}
	want(t, fmt.Sprintf("dropped, with %d of %d received", got, accepted), int(r.dropped.Load()), accepted-got)
}

// TestEndInsideAMessage ends connections in the middle of a message of which the socket has taken the most, so that
// only its rest is kept.
func TestEndInsideAMessage(t *testing.T) {
	for i := range 20 {
		r := dialed(t, limits(), &recorder{})
		accepted := 0
		for waiting := 0; waiting == 0; waiting, _ = r.Buffered() {
			must(t, r.Send(ws.Binary, torn(65_000-1000*i, i)))
			accepted++
		}
		r.wantEach(t, accepted)
	}
}

// TestEndInsideManyMessages does the same with answers that go out together.
func TestEndInsideManyMessages(t *testing.T) {
	for i := range 20 {
		cfg := limits()
		cfg.Cork, cfg.OutboxMessages = true, 0
		accepted, done := 0, make(chan struct{}, 2)
		r := dialed(t, cfg, &recorder{onMessage: func(c *wire.Conn, _ ws.MessageType, p []byte) {
			for waiting := 0; string(p) == "go" && waiting < 64<<10; _, waiting = c.Buffered() {
				if err := c.Send(ws.Binary, torn(500+10*i, i)); err != nil {
					t.Error(err)
					break
				}
				accepted++
			}
			done <- struct{}{}
		}})
		must(t, r.client.Raw(join(text("go"), text("and more"))))
		<-done
		<-done
		r.wantEach(t, accepted)
	}
}
