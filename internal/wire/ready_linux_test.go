package wire_test

import (
	"io"
	"testing"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// TestASocketSaysWhetherItTakesSomething, where it can be asked.
func TestASocketSaysWhetherItTakesSomething(t *testing.T) {
	client, server := tcpPair(t)
	cfg := limits()
	cfg.OutboxBytes = 0
	r := start(t, client, server, cfg, &recorder{})
	want(t, "in the beginning", wire.Takes(r.Conn), r.Detached())
	must(t, r.Send(ws.Binary, make([]byte, 32<<20)))
	eventually(t, "it goes on taking what nobody reads", func() bool { return !wire.Takes(r.Conn) })
	go func() { _, _ = io.Copy(io.Discard, client.Conn()) }()
	must(t, r.Flush(t.Context()))
	eventually(t, "it takes nothing", func() bool { return wire.Takes(r.Conn) == r.Detached() })

	other, below := tcpPair(t)
	hidden := start(t, other, wrapped{below}, cfg, &recorder{})
	want(t, "of what is no socket", wire.Takes(hidden.Conn), false)
}
