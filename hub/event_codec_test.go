package hub_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// binaryJSON is JSON in binary messages, for who asks for it.
type binaryJSON struct {
	codec.Codec
	subprotocol string
}

func (b binaryJSON) Subprotocol() string { return b.subprotocol }

func (binaryJSON) Binary() bool { return true }

// TestCodecs: each client is answered, and sent to, in the encoding that it has chosen, once.
func TestCodecs(t *testing.T) {
	h := newHub(t, hub.Config{Codecs: []codec.Codec{binaryJSON{codec.JSON, "a"}, binaryJSON{codec.JSON, "b"}}})
	hub.On(h, "say", func(_ *hub.Conn, p post) error { return h.All().Emit("said", p) })
	want(t, "subprotocols", fmt.Sprint(h.Subprotocols()), "[a b]")
	inA, inJSON, other := connect(t, h, hub.Request{Subprotocol: "a"}), connect(t, h), connect(t, h, hub.Request{Subprotocol: "c"})
	read := func(s *session, kind ws.MessageType, text string) {
		t.Helper()
		m, err := s.Read()
		must(t, err)
		want(t, "kind", m.Type, kind)
		want(t, "text", m.Text(), text)
	}
	inA.Send(ws.Message{Type: ws.Binary, Data: []byte(`{"type":"say","text":"x"}`)})
	read(inA, ws.Binary, `{"type":"said","room":"","text":"x"}`)
	read(inJSON, ws.Text, `{"type":"said","room":"","text":"x"}`)
	read(other, ws.Text, `{"type":"said","room":"","text":"x"}`)
	inA.SendText(`{"type":"say","text":"x"}`)
	if m, err := inA.Read(); err != nil || m.Type != ws.Binary || !strings.Contains(m.Text(), `"code":"invalid"`) {
		t.Errorf("text: got %v, %v", m, err)
	}
	must(t, inA.handle.Target().Emit("one", nil))
	var tally hub.Tally
	must(t, h.All().Where(func(c *hub.Conn) bool { return c != other.handle }).Tally(&tally).Emit("where", nil))
	must(t, h.All().Except(other.handle).Tally(&tally).Emit("except", nil))
	want(t, "queued", tally.Queued, 4)
	read(inA, ws.Binary, `{"type":"one"}`)
	for _, text := range []string{`{"type":"where"}`, `{"type":"except"}`} {
		read(inA, ws.Binary, text)
		read(inJSON, ws.Text, text)
	}
	must(t, h.All().Emit("last", nil))
	read(other, ws.Text, `{"type":"last"}`)
	read(inA, ws.Binary, `{"type":"last"}`)
	read(inJSON, ws.Text, `{"type":"last"}`)
}

// TestCodecsThatCannotWork: a codec that nobody can choose panics in New.
func TestCodecsThatCannotWork(t *testing.T) {
	for name, all := range map[string][]codec.Codec{
		"nil":            {nil},
		"no subprotocol": {codec.JSON},
		"no token":       {binaryJSON{codec.JSON, "a b"}},
		"wsx's own":      {binaryJSON{codec.JSON, "wsx.v1"}},
		"acks":           {binaryJSON{codec.JSON, hub.AckProtocol}},
		"two of one":     {binaryJSON{codec.JSON, "a"}, binaryJSON{codec.JSON, "a"}},
	} {
		func() {
			defer func() {
				if what, _ := recover().(string); !strings.Contains(what, "Config.Codecs") {
					t.Errorf("%s: %q", name, what)
				}
			}()
			hub.New(hub.Config{Codecs: all})
		}()
	}
}

// crashing is a codec that panics for what a client sends.
type crashing struct{ binaryJSON }

func (crashing) Open([]byte) (codec.Envelope, error) { panic(marker) }

// TestACodecThatCrashes ends the connection of whoever has provoked that, and no other.
func TestACodecThatCrashes(t *testing.T) {
	h := newHub(t, hub.Config{Codecs: []codec.Codec{crashing{binaryJSON{codec.JSON, "a"}}}})
	hub.On(h, "say", said)
	other := connect(t, h)
	s := connect(t, h, hub.Request{Subprotocol: "a"})
	ended := s.live()
	s.Send(hub.Message{Type: ws.Binary, Data: []byte(`{"type":"say"}`)})
	want(t, "status", <-ended, ws.StatusInternalError)
	want(t, "the other one", other.handle.State(), hub.StateOpen)
	want(t, "panics", h.Stats().Panics, 1)
}
