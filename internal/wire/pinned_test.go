package wire_test

import (
	"runtime"
	"testing"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// TestAShortRoundHoldsLittle: a peer that does not read holds about as much memory as its outbox counts, although short
// rounds come in arrays that long ones have had before.
func TestAShortRoundHoldsLittle(t *testing.T) {
	for name, row := range map[string]struct{ before, ticks int }{
		"after long rounds":      {60 << 10, 1000},
		"after very long rounds": {200 << 10, 500},
		"after nothing":          {0, 20_000},
	} {
		t.Run(name, func(t *testing.T) {
			r := piped(t, limits(), &recorder{}) // its client does not read
			position := uint64(0)
			send := func(p []byte) {
				round := wire.NewRound(position)
				round.Append(ws.Binary, p, nil)
				position = round.End()
				_, _, err := r.SendRound(round)
				round.Release()
				must(t, err)
			}
			for queued := 0; queued == 0; _, queued = r.Buffered() {
				send(make([]byte, 32<<10))
			}
			base := heap()
			long := make([]byte, row.before)
			for range row.ticks {
				round := wire.NewRound(position) // of a room whose members have taken it
				round.Append(ws.Binary, long, nil)
				round.Release()
				send([]byte("tick"))
			}
			if grown := heap() - base; grown > 8<<20 {
				_, queued := r.Buffered()
				t.Errorf("%d bytes are queued, and the heap grew by %d MiB", queued, grown>>20)
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
