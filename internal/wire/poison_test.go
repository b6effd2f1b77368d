//go:build race

package wire_test

import (
	"testing"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// TestKeptPayloadIsPoisoned: a handler that keeps a payload finds garbage in it by the time of the next message, in
// race builds; be it one that lay whole in the read buffer or one that was gathered.
func TestKeptPayloadIsPoisoned(t *testing.T) {
	for name, connect := range map[string]func(testing.TB, wire.Config, *recorder) *rig{"detached": dialed, "in place": inPlace} {
		t.Run(name, func(t *testing.T) {
			var kept []byte
			var was string
			h := &recorder{onMessage: func(c *wire.Conn, _ ws.MessageType, p []byte) {
				if kept != nil && string(kept) == was {
					t.Errorf("the payload still reads %q", kept)
				}
				kept, was = p, string(p)
				_ = c.Send(ws.Binary, nil)
			}}
			r := connect(t, limits(), h)
			for _, raw := range [][]byte{text("abcd"), join(first("ef"), last("gh")), text("ijkl")} {
				must(t, r.client.Raw(raw))
				_, err := r.client.Read()
				must(t, err)
			}
		})
	}
}
