package hub_test

import (
	"encoding/json"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/wire"
)

const (
	sayEvent   = `{"type":"say","room":"lobby","text":"hello, how are you?"}`
	saidEvent  = `{"type":"said","room":"lobby","text":"hello, how are you?"}`
	sayRequest = `{"type":"say","id":7,"room":"lobby","text":"hello, how are you?"}`
	sayReply   = `{"type":"reply","id":7,"data":19}`
)

// eventing sends an event, and gets one that its handler sends.
func eventing(tb testing.TB) func() {
	_, all := sockets(tb, hub.Config{}, 1, func(h *hub.Hub) {
		hub.On(h, "say", func(c *hub.Conn, p post) error { return c.Emit("said", p) })
	})
	return exchanging(tb, all[0], sayEvent, saidEvent)
}

// replying sends a request, and gets the reply.
func replying(tb testing.TB) func() {
	_, all := sockets(tb, hub.Config{}, 1, func(h *hub.Hub) {
		hub.Reply(h, "say", func(_ *hub.Conn, p post) (int, error) { return len(p.Text), nil })
	})
	return exchanging(tb, all[0], sayRequest, sayReply)
}

// exchanging sends a text and waits for as many bytes as the answer has.
func exchanging(tb testing.TB, s *socket, text, answer string) func() {
	s.out = append(wire.AppendHeader(nil, true, wire.OpText, len(text), &[4]byte{}), text...)
	s.in = make([]byte, 2+len(answer))
	return func() {
		s.send(tb)
		s.receive(tb)
	}
}

// decoding is what a handler without events does at least.
func decoding() { _ = json.Unmarshal([]byte(sayEvent), new(post)) }

func BenchmarkEvent(b *testing.B) { benchmark(b, eventing(b)) }

func BenchmarkReply(b *testing.B) { benchmark(b, replying(b)) }

func BenchmarkEventDecoding(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		decoding()
	}
}
