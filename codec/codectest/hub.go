package codectest

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// testHub has two clients of one hub, one with the codec and one with JSON.
func testHub(t *testing.T, k codec.Codec) {
	h := hub.New(hub.Config{Codecs: []codec.Codec{k}, PingInterval: -1, Logger: slog.New(slog.DiscardHandler)})
	hub.On(h, "say", func(_ *hub.Conn, p post) error { return h.All().Emit("said", p) })
	hub.Reply(h, "length", func(_ *hub.Conn, p post) (int, error) { return len(p.Text), nil })
	mine, inJSON := connect(t, h, k.Subprotocol()), connect(t, h, "")
	defer func() {
		mine.Close()
		inJSON.Close()
		if err := h.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}()

	inJSON.SendText(`{"type":"length","id":1,"text":"ab"}`)
	if got := inJSON.ReadText(); got != `{"type":"reply","id":1,"data":2}` { // from here on it hears what goes to all
		t.Errorf("in JSON the reply is %s", got)
	}
	id := k.AppendID(nil, 7)
	reply := ask(t, k, mine, codec.Header{Type: "length", ID: id}, post{Text: "four"})
	length := 0
	if err := k.Decode(reply.Data, &length); err != nil || length != 4 || string(reply.Type) != "reply" || !bytes.Equal(reply.ID, id) {
		t.Errorf("the reply is %d in %+v, %v", length, reply, err)
	}
	refusal := ask(t, k, mine, codec.Header{Type: "dance", ID: id}, nil)
	if string(refusal.Type) != "error" || !bytes.Equal(refusal.ID, id) {
		t.Errorf("an unknown event is answered with %+v", refusal)
	}

	said := make(chan string, 1)
	go func() {
		m, _ := inJSON.Read()
		said <- string(m.Data)
	}()
	if e := ask(t, k, mine, codec.Header{Type: "say"}, post{"a", "b"}); string(e.Type) != "said" {
		t.Errorf("heard %+v", e)
	}
	if got := <-said; got != `{"type":"said","room":"a","text":"b"}` {
		t.Errorf("in JSON heard %s", got)
	}
}

func connect(t *testing.T, h *hub.Hub, subprotocol string) *wsxtest.Client {
	t.Helper()
	client, server := wsxtest.Pipe(t)
	go func() { _ = h.Serve(server, hub.Request{Subprotocol: subprotocol}) }()
	return client
}

// ask sends a message and returns the next one that comes.
func ask(t *testing.T, k codec.Codec, c *wsxtest.Client, head codec.Header, body any) codec.Envelope {
	t.Helper()
	kind := ws.Text
	if k.Binary() {
		kind = ws.Binary
	}
	c.Send(ws.Message{Type: kind, Data: message(t, k, head, body)})
	m, err := c.Read()
	if err != nil || m.Type != kind {
		t.Fatalf("got %v, %v", m, err)
	}
	e, err := k.Open(m.Data)
	if err != nil {
		t.Fatalf("%x: %v", m.Data, err)
	}
	return e
}
