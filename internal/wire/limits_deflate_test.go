package wire_test

import (
	"math"
	"testing"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// TestCompressedWithoutALimit: however large messages may be, a compressed one is taken, and a bomb is not.
func TestCompressedWithoutALimit(t *testing.T) {
	for name, most := range map[string]int64{"no limit": 0, "the largest": math.MaxInt64} {
		t.Run(name, func(t *testing.T) {
			cfg := compressing()
			cfg.MaxMessage = most
			p := agreed(t, wire.NewEngine(cfg), alone, &recorder{onMessage: func(c *wire.Conn, _ ws.MessageType, _ []byte) { _ = c.Send(ws.Text, []byte("taken")) }})
			noise := make([]byte, 100_000)
			for i := range noise {
				noise[i] = byte(i * i >> 3)
			}
			must(t, p.client.Frame(true, wire.OpBinary|rsv1, p.packed(string(noise))))
			got, _ := p.read(t)
			want(t, "answer", got, "taken")
			if most == 0 {
				bomb := fastest.Append(nil, make([]byte, 65<<20), nil, 15)
				must(t, p.client.Frame(true, wire.OpBinary|rsv1, bomb))
				want(t, "status", p.client.ReadClose().Status, ws.StatusMessageTooBig)
			}
		})
	}
}
